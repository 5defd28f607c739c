using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing.Clouds;

/// <summary>Microsoft Entra's token endpoint, and the services for managed identities.</summary>
/// <seealso href="https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow"/>
/// <seealso href="https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token"/>
/// <seealso href="https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference"/>
public sealed class AzureServices(FakeCloud cloud)
{
    public const string Tenant = "7e7a7000-0000-4000-8000-000000000001";
    public const string Application = "a9911ca7-0000-4000-8000-000000000001";
    public const string AppServiceSecret = "app-service-secret-1";

    private const string Resource = "https://containerregistry.azure.net";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly ConcurrentQueue<string> issued = new();

    /// <summary>The federated credentials of the application: issuer and subject.</summary>
    public ISet<(string Issuer, string Subject)> Federated { get; } =
        new HashSet<(string, string)>
        {
            ("https://token.actions.githubusercontent.com", CiServices.GitHubSubject),
            ("https://vstoken.dev.azure.com/acme", CiServices.PipelineSubject),
            ("https://gitlab.com", CiServices.GitLabSubject),
        };

    /// <summary>The client ids of the machine's identities; the empty one is the system's. None: the machine has no identity.</summary>
    public ISet<string> ManagedIdentities { get; } = new HashSet<string> { "" };

    /// <summary>Called with each access token.</summary>
    public Action<string> Issue { get; set; } = _ => { };

    public IReadOnlyCollection<string> Issued => issued;

    internal CloudAnswer AnswerEntra(CloudCall call)
    {
        if (call.Method != "POST" || call.Path != $"/{Tenant}/oauth2/v2.0/token")
            return Error(400, "invalid_request", "AADSTS90002: Tenant not found.");
        if (call.Field("grant_type") != "client_credentials")
            return Error(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.");
        if (call.Field("client_id") != Application)
            return Error(400, "unauthorized_client", "AADSTS700016: The application was not found in the directory.");
        if (call.Field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            return Error(400, "invalid_request", "AADSTS900144: The request body must contain 'client_assertion_type'.");
        if (call.Field("scope") != $"{Resource}/.default")
            return Error(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.");
        if (cloud.Ci.Read(call.Field("client_assertion"), "api://AzureADTokenExchange") is not { } subject)
            return Error(
                401,
                "invalid_client",
                "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered."
            );
        if (!Federated.Contains(subject))
            return Error(
                401,
                "invalid_client",
                $"AADSTS700213: No matching federated identity record found for presented assertion subject '{subject.Subject}'."
            );
        return CloudAnswer.Json(
            200,
            new JsonObject
            {
                ["token_type"] = "Bearer",
                ["expires_in"] = (int)Lifetime.TotalSeconds,
                ["ext_expires_in"] = (int)Lifetime.TotalSeconds,
                ["access_token"] = CreateToken(),
            }
        );
    }

    internal CloudAnswer AnswerMetadata(CloudCall call)
    {
        if (call.Method != "GET" || call.Path != "/metadata/identity/oauth2/token")
            return Error(404, "not_found", "There is no such endpoint");
        if (call.Header("Metadata") != "true" || call.Header("X-Forwarded-For") is not null)
            return Error(400, "bad_request_102", "Required metadata header not specified");
        return call.Query.GetValueOrDefault("api-version") == "2018-02-01"
            ? AnswerIdentity(call)
            : Error(400, "invalid_request", "Bad api-version");
    }

    internal CloudAnswer AnswerAppService(CloudCall call)
    {
        if (call.Method != "GET" || call.Path != "/msi/token" || call.Query.GetValueOrDefault("api-version") != "2019-08-01")
            return Error(400, "invalid_request", "Unsupported api-version");
        return call.Header("X-IDENTITY-HEADER") == AppServiceSecret
            ? AnswerIdentity(call)
            : Error(401, "unauthorized", "X-IDENTITY-HEADER is missing or wrong");
    }

    private CloudAnswer AnswerIdentity(CloudCall call)
    {
        if (call.Query.GetValueOrDefault("resource") != Resource)
            return Error(400, "invalid_resource", "AADSTS500011: The resource principal was not found.");
        var client = call.Query.GetValueOrDefault("client_id", "");
        if (client.Length == 0 && ManagedIdentities.Count > 1)
            return Error(400, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId");
        if (!ManagedIdentities.Contains(client))
            return Error(400, "invalid_request", "Identity not found");
        return CloudAnswer.Json(
            200,
            new JsonObject
            {
                ["access_token"] = CreateToken(),
                ["expires_on"] = (cloud.Time.GetUtcNow() + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                ["resource"] = Resource,
                ["token_type"] = "Bearer",
            }
        );
    }

    private string CreateToken()
    {
        var token = $"entra-access-token-{Guid.NewGuid():N}";
        issued.Enqueue(token);
        Issue(token);
        return token;
    }

    private static CloudAnswer Error(int status, string code, string description) =>
        CloudAnswer.Json(status, new JsonObject { ["error"] = code, ["error_description"] = description });
}
