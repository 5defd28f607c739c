using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>A token that says who the build is, signed by a CI system or a cluster.</summary>
/// <param name="Issuer">Whose it is, in words.</param>
internal sealed record IdToken(string Value, string Issuer)
{
    public override string ToString() => $"IdToken {{ {Issuer} }}";
}

/// <summary>Finds the token by which a CI system proves to others who the build is.</summary>
internal sealed class CiIdentity(IdentitySearch search)
{
    private const string Variable = EnvironmentCredentials.IdToken;

    /// <summary>The token that the user names for this registry: GitLab's <c>id_tokens</c>, or any other CI system's.</summary>
    public IdToken? FindNamed()
    {
        var registry = search.Host.Registry;
        var name = EnvironmentCredentials
            .NamesFor(search.Environment, registry)
            .Select(name => $"{Variable}__{name}")
            .FirstOrDefault(name => search.Variable(name) is not null);
        if (name is null && registry == search.Environment.SoleRegistry)
            name = Variable;
        return name is not null && search.Secret(name) is { } token ? new IdToken(token, $"the token in {name}") : null;
    }

    /// <summary>The token that a file has: Kubernetes writes it, and renews it.</summary>
    public async Task<IdToken?> FindInFileAsync(string variable, CancellationToken ct) =>
        search.Variable(variable) is { } path
            ? new IdToken(await search.ReadTokenFileAsync(path, $"The file that {variable} names", ct), "the token of its cluster")
            : null;

    /// <summary>GitHub's token for a job that may have one.</summary>
    /// <remarks><see href="https://docs.github.com/en/actions/reference/security/oidc">OpenID Connect reference</see>.</remarks>
    public async Task<IdToken?> AskGitHubAsync(string audience, CancellationToken ct)
    {
        const string Permission =
            "Add 'permissions: id-token: write' to the job or the workflow (and 'contents: read', which is lost "
            + "where permissions are named)";
        if (
            search.Variable("ACTIONS_ID_TOKEN_REQUEST_URL") is not { } url
            || search.Secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN") is not { } token
        )
        {
            if (search.Variable("GITHUB_ACTIONS") == "true")
                search.Hinder($"GitHub gives this job no identity token. {Permission}");
            return null;
        }

        var request = new IdentityRequest(
            "GitHub's service for identity tokens",
            HttpMethod.Get,
            WithQuery(url, $"audience={Escape(audience)}")
        )
        {
            Headers = [new("Authorization", $"Bearer {token}")],
            Advice = Permission,
        };
        var json = await search.Client.GetJsonAsync(request, ct);
        return new IdToken(search.Client.ReadToken(request, json, "value"), "GitHub's identity token");
    }

    /// <summary>Azure Pipelines' token for a service connection that the job may use.</summary>
    /// <remarks><see href="https://learn.microsoft.com/en-us/rest/api/azure/devops/distributedtask/oidctoken/create">Oidctoken,
    /// Create</see>.</remarks>
    public async Task<IdToken?> AskAzurePipelinesAsync(string connection, CancellationToken ct)
    {
        if (search.Variable("SYSTEM_OIDCREQUESTURI") is not { } url)
            return null;
        if (search.Secret("SYSTEM_ACCESSTOKEN") is not { } token)
        {
            search.Hinder(
                "Azure Pipelines gives this step no identity token without SYSTEM_ACCESSTOKEN. Map it in the step: 'env: "
                    + "SYSTEM_ACCESSTOKEN: $(System.AccessToken)'"
            );
            return null;
        }

        var address = WithQuery(url, $"api-version=7.1&serviceConnectionId={Escape(connection)}");
        var request = new IdentityRequest("Azure Pipelines' service for identity tokens", HttpMethod.Post, address)
        {
            Headers = [new("Authorization", $"Bearer {token}"), new("X-TFS-FedAuthRedirect", "Suppress")],
            Body = [],
            Advice = "Check that the pipeline may use the service connection, and that it uses workload identity federation",
        };
        var json = await search.Client.GetJsonAsync(request, ct);
        return new IdToken(search.Client.ReadToken(request, json, "oidcToken"), "Azure Pipelines' identity token");
    }

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private Uri WithQuery(string url, string query)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address))
            throw search.Unusable("the address that the CI system gives for identity tokens is not valid");
        var separator = address.Query.Length > 0 ? '&' : '?';
        return new Uri(
            $"{address.GetComponents(UriComponents.HttpRequestUrl | UriComponents.UserInfo, UriFormat.UriEscaped)}{separator}{query}"
        );
    }
}
