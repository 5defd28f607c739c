using System.Net;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>Gets Entra tokens for an Azure registry, which exchanges them for its own: of an application that trusts the CI system or the
/// cluster, or of the managed identity of the machine.</summary>
internal sealed partial class AzureIdentity(IdentitySearch search)
{
    private const string Audience = "api://AzureADTokenExchange";

    // Good for registries of every Azure cloud, and for nothing else there.
    private const string Resource = "https://containerregistry.azure.net";

    // What Azure's machines have as the asset tag of their chassis. Their vendor is the one of every Hyper-V.
    private const string AssetTag = "7783-7084-3265-9085-8269-3286-77";

    private readonly CiIdentity ci = new(search);

    public async Task<IdentityCredential?> FindAsync(CancellationToken ct) =>
        await FindFederatedAsync(ct) ?? await AskAppServiceAsync(ct) ?? await AskMachineAsync(ct);

    // The first host is the one that is asked where AZURE_AUTHORITY_HOST names none.
    private string[] Authorities =>
        search.Host.Suffix switch
        {
            "cn" => ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
            "us" => ["login.microsoftonline.us"],
            _ => ["login.microsoftonline.com", "login.microsoft.com", "login.windows.net"],
        };

    // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow, the third case.
    private async Task<IdentityCredential?> FindFederatedAsync(CancellationToken ct)
    {
        if (await FindApplicationAsync(ct) is not var (application, token))
            return null;
        var request = new IdentityRequest("Microsoft Entra", HttpMethod.Post, GetTokenAddress(application.Tenant))
        {
            Form =
            [
                new("client_id", application.Client),
                new("scope", $"{Resource}/.default"),
                new("grant_type", "client_credentials"),
                new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                new("client_assertion", token.Value),
            ],
            Advice =
                $"Check that the application {application.Client} has a federated credential for the issuer and the subject of this "
                + "build",
        };
        var issuedAt = search.Time.GetUtcNow();
        var json = await search.Client.GetJsonAsync(request, ct);
        var credential = new Credential { EntraToken = search.Client.ReadToken(request, json, "access_token") };
        var expiresAt = IdentityAnswer.ReadLifetime(json, issuedAt);
        return IdentitySearch.Create(credential, issuedAt, expiresAt, $"the Entra application {application.Client} by {token.Issuer}");
    }

    private async Task<((string Client, string Tenant) Application, IdToken Token)?> FindApplicationAsync(CancellationToken ct)
    {
        const string TokenFile = "AZURE_FEDERATED_TOKEN_FILE";
        var application = ReadApplication("AZURE_CLIENT_ID", "AZURE_TENANT_ID");
        if (application is { } known)
        {
            var token = ci.FindNamed() ?? await ci.FindInFileAsync(TokenFile, ct) ?? await ci.AskGitHubAsync(Audience, ct);
            if (token is not null)
                return (known, token);
        }
        else if (search.Variable(TokenFile) is not null || ci.FindNamed() is not null)
        {
            search.Hinder("there is an identity token, but not the application that it is for. Set AZURE_CLIENT_ID and AZURE_TENANT_ID");
        }

        // What tasks of Azure Pipelines set that run with a service connection, AzureCLI@2 for one.
        if (
            search.Variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID") is { } connection
            && (ReadApplication("AZURESUBSCRIPTION_CLIENT_ID", "AZURESUBSCRIPTION_TENANT_ID") ?? application) is { } pipeline
            && await ci.AskAzurePipelinesAsync(connection, ct) is { } pipelineToken
        )
            return (pipeline, pipelineToken);
        return null;
    }

    private (string Client, string Tenant)? ReadApplication(string clientVariable, string tenantVariable)
    {
        if (search.Variable(clientVariable) is not { } client || search.Variable(tenantVariable) is not { } tenant)
            return null;
        if (!Guid.TryParse(client, out _))
            throw search.Unusable($"{clientVariable} is not an application ID: '{Text.Sanitize(client)}'. Set it to a GUID");
        return TenantPattern().IsMatch(tenant)
            ? (client, tenant)
            : throw search.Unusable($"{tenantVariable} is neither a GUID nor a domain: '{Text.Sanitize(tenant)}'. Correct it");
    }

    // The variable can choose among the hosts of one cloud, and not send the token anywhere else.
    private Uri GetTokenAddress(string tenant)
    {
        var host = Authorities[0];
        if (search.Variable("AZURE_AUTHORITY_HOST") is { } named)
        {
            host = Array.Find(Authorities, authority => named.TrimEnd('/') == $"https://{authority}")
                ?? throw search.Unusable(
                    $"AZURE_AUTHORITY_HOST is '{Text.Sanitize(named)}', which does not sign in to {search.Host.Registry}. Set it to "
                        + $"https://{host}/"
                );
        }

        return new Uri($"https://{host}/{tenant}/oauth2/v2.0/token");
    }

    // https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference
    private async Task<IdentityCredential?> AskAppServiceAsync(CancellationToken ct)
    {
        if (search.Variable("IDENTITY_ENDPOINT") is not { } endpoint || search.Secret("IDENTITY_HEADER") is not { } secret)
            return null;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Query.Length > 0)
            throw search.Unusable($"IDENTITY_ENDPOINT is not a valid address: '{Text.Sanitize(endpoint)}'");
        var request = new IdentityRequest(
            "App Service's service for managed identities",
            HttpMethod.Get,
            new Uri($"{address}?api-version=2019-08-01&resource={Uri.EscapeDataString(Resource)}{ClientQuery}")
        )
        {
            Headers = [new("X-IDENTITY-HEADER", secret)],
            IsLocal = true,
            Advice = "Check that the app has a managed identity, and AZURE_CLIENT_ID if it is one of several",
        };
        return Read(request, await search.Client.GetJsonAsync(request, ct));
    }

    // https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#get-a-token-using-http
    private async Task<IdentityCredential?> AskMachineAsync(CancellationToken ct)
    {
        if (!search.MayAskMachine(AssetTag))
            return null;
        var query = $"api-version=2018-02-01&resource={Uri.EscapeDataString(Resource)}{ClientQuery}";
        var address = new Uri(LocalServices.Metadata, $"metadata/identity/oauth2/token?{query}");
        var request = new IdentityRequest("Azure's metadata service", HttpMethod.Get, address)
        {
            Headers = [new("Metadata", "true")],
            IsLocal = true,
            Advice = "Check AZURE_CLIENT_ID, and that the machine has that identity",
        };
        var response = await search.Client.TrySendAsync(request, search.Log, ct);
        if (response is { Status: HttpStatusCode.OK })
            return Read(request, search.Client.ReadJson(request, response));
        // GitHub's runners are machines without an identity. One that has several wants to know which.
        if (response is not null && (ClientQuery.Length > 0 || IdentityAnswer.Explain(response)?.Contains("Identity not found") != true))
            search.Hinder(search.Client.DescribeRefusal(request, response));
        return null;
    }

    private string ClientQuery =>
        search.Variable("AZURE_CLIENT_ID") is { } client && Guid.TryParse(client, out _) ? $"&client_id={client}" : "";

    private IdentityCredential Read(IdentityRequest request, System.Text.Json.JsonElement json)
    {
        var now = search.Time.GetUtcNow();
        var credential = new Credential { EntraToken = search.Client.ReadToken(request, json, "access_token") };
        return IdentitySearch.Create(
            credential,
            now,
            IdentityAnswer.ReadEpoch(json, "expires_on", now),
            "the managed identity of this machine"
        );
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex TenantPattern();
}
