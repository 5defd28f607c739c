using System.Text.Json.Nodes;

namespace ImagePublish.Testing.Clouds;

/// <summary>GitHub's, Azure Pipelines' and GitLab's identity tokens.</summary>
/// <seealso href="https://docs.github.com/en/actions/reference/security/oidc"/>
/// <seealso href="https://learn.microsoft.com/en-us/rest/api/azure/devops/distributedtask/oidctoken/create"/>
public sealed class CiServices(FakeCloud cloud) : IDisposable
{
    public const string GitHubSubject = "repo:acme/shop:ref:refs/heads/main";
    public const string GitHubRequestToken = "github-request-token-1";
    public const string PipelineSubject = "sc://acme/shop/azure";
    public const string PipelineAccessToken = "pipeline-access-token-1";
    public const string ServiceConnection = "5e7ec710-0000-4000-8000-000000000001";
    public const string GitLabSubject = "project_path:acme/shop:ref_type:branch:ref:main";

    private const string PipelinePath = "/acme/0f/_apis/distributedtask/hubs/build/plans/1a/jobs/2b/oidctoken";

    public TestJwt GitHub { get; } = new("https://token.actions.githubusercontent.com");

    public TestJwt Pipelines { get; } = new("https://vstoken.dev.azure.com/acme");

    public TestJwt GitLab { get; } = new("https://gitlab.com");

    public static string GitHubUrl => "https://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/7/8?api-version=2.0";

    public static string PipelineUrl => $"https://dev.azure.com{PipelinePath}";

    public string CreateGitLabToken(string audience) => GitLab.Create(audience, GitLabSubject, cloud.Time.GetUtcNow());

    /// <summary>Who a token of one of the systems is for: issuer and subject; null where it is not for the audience, or no token.</summary>
    public (string Issuer, string Subject)? Read(string? token, string audience)
    {
        var now = cloud.Time.GetUtcNow();
        return
            new[] { GitHub, Pipelines, GitLab }
                .Select(issuer => issuer.Read(token, now))
                .FirstOrDefault(claims => claims is not null && (string?)claims["aud"] == audience)
                is { } claims
            ? ((string)claims["iss"]!, (string)claims["sub"]!)
            : null;
    }

    public void Dispose()
    {
        GitHub.Dispose();
        Pipelines.Dispose();
        GitLab.Dispose();
    }

    internal CloudAnswer AnswerGitHub(CloudCall call)
    {
        if (call.Method != "GET" || call.Path != "/42//idtoken/7/8" || call.Query.GetValueOrDefault("api-version") != "2.0")
            return Message(404, "The resource cannot be found.");
        if (call.Header("Authorization") != $"Bearer {GitHubRequestToken}")
            return Message(401, "The request token is missing or wrong.");
        return call.Query.GetValueOrDefault("audience") is { Length: > 0 } audience
            ? CloudAnswer.Json(
                200,
                new JsonObject { ["count"] = 1, ["value"] = GitHub.Create(audience, GitHubSubject, cloud.Time.GetUtcNow()) }
            )
            : Message(400, "The audience is missing.");
    }

    internal CloudAnswer AnswerAzurePipelines(CloudCall call)
    {
        if (call.Method != "POST" || call.Path != PipelinePath || call.Query.GetValueOrDefault("api-version") != "7.1")
            return Message(404, "The controller for this path was not found.");
        if (call.Header("X-TFS-FedAuthRedirect") != "Suppress")
            return new CloudAnswer(302, "")
            {
                Headers = new Dictionary<string, string> { ["Location"] = "https://spsprodweu1.vssps.visualstudio.com/_signin" },
            };
        if (call.Header("Authorization") != $"Bearer {PipelineAccessToken}")
            return Message(401, "TF400813: The user is not authorized to access this resource.");
        if (call.Header("Content-Type") != "application/json")
            return Message(415, "The media type is not supported.");
        return call.Query.GetValueOrDefault("serviceConnectionId") == ServiceConnection
            ? CloudAnswer.Json(
                200,
                new JsonObject { ["oidcToken"] = Pipelines.Create("api://AzureADTokenExchange", PipelineSubject, cloud.Time.GetUtcNow()) }
            )
            : Message(403, "The service connection may not be used by this pipeline.");
    }

    private static CloudAnswer Message(int status, string message) => CloudAnswer.Json(status, new JsonObject { ["message"] = message });
}
