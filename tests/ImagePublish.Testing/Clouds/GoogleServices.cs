using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing.Clouds;

/// <summary>Google's token exchanges, its service for service accounts, and the metadata service.</summary>
/// <seealso href="https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token"/>
/// <seealso href="https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken"/>
/// <seealso href="https://developers.google.com/identity/protocols/oauth2/service-account#httprest"/>
/// <seealso href="https://cloud.google.com/compute/docs/metadata/querying-metadata"/>
public sealed class GoogleServices(FakeCloud cloud)
{
    public const string Provider = "projects/123456789/locations/global/workloadIdentityPools/ci/providers/build";
    public const string Account = "publisher@acme-shop.iam.gserviceaccount.com";

    private const string PlatformScope = "https://www.googleapis.com/auth/cloud-platform";

    private readonly ConcurrentQueue<string> issued = new();
    private readonly ConcurrentDictionary<string, bool> federated = new();

    /// <summary>Signs as the service account does, with its key.</summary>
    public TestJwt AccountKey { get; } = new(Account);

    public bool HasServiceAccount { get; set; } = true;

    /// <summary>Called with each access token.</summary>
    public Action<string> Issue { get; set; } = _ => { };

    public IReadOnlyCollection<string> Issued => issued;

    internal CloudAnswer Answer(CloudCall call) =>
        (call.Host, call.Method, call.Path) switch
        {
            ("sts.googleapis.com", "POST", "/v1/token") => Exchange(call),
            ("oauth2.googleapis.com", "POST", "/token") => SignIn(call),
            ("iamcredentials.googleapis.com", "POST", $"/v1/projects/-/serviceAccounts/{Account}:generateAccessToken") => Impersonate(call),
            _ => Status(404, "NOT_FOUND", "Requested entity was not found."),
        };

    internal CloudAnswer AnswerMetadata(CloudCall call)
    {
        if (call.Header("Metadata-Flavor") != "Google" || call.Header("X-Forwarded-For") is not null)
            return CloudAnswer.Text(403, "Missing required header: Metadata-Flavor");
        if (call.Path != "/computeMetadata/v1/instance/service-accounts/default/token" || !HasServiceAccount)
            return CloudAnswer.Text(404, "Not Found") with { Headers = Flavor };
        return Token() with { Headers = Flavor };
    }

    private static Dictionary<string, string> Flavor => new() { ["Metadata-Flavor"] = "Google" };

    private CloudAnswer Exchange(CloudCall call)
    {
        if (
            call.Field("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange"
            || call.Field("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token"
            || call.Field("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt"
            || call.Field("scope") != PlatformScope
        )
            return Error("invalid_request", "A parameter is missing or wrong.");
        if (call.Field("audience") != $"//iam.googleapis.com/{Provider}")
            return Error("invalid_target", "The target service indicated by the \"audience\" parameters is invalid.");
        if (cloud.Ci.Read(call.Field("subject_token"), $"https://iam.googleapis.com/{Provider}") is null)
            return Error("invalid_grant", "The audience in ID Token does not match the expected audience.");
        var token = CreateToken("federated");
        federated[token] = true;
        return CloudAnswer.Json(
            200,
            new JsonObject
            {
                ["access_token"] = token,
                ["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token",
                ["token_type"] = "Bearer",
                ["expires_in"] = 3599,
            }
        );
    }

    private CloudAnswer Impersonate(CloudCall call)
    {
        var token = call.Header("Authorization") is { } header && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header[7..] : "";
        if (!federated.ContainsKey(token))
            return Status(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
        var body = JsonNode.Parse(call.Body)?.AsObject();
        if (call.Header("Content-Type") != "application/json" || (string?)body?["scope"]?[0] != PlatformScope)
            return Status(400, "INVALID_ARGUMENT", "Scope required.");
        return CloudAnswer.Json(
            200,
            new JsonObject
            {
                ["accessToken"] = CreateToken("account"),
                ["expireTime"] = cloud.Time.GetUtcNow().AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            }
        );
    }

    private CloudAnswer SignIn(CloudCall call)
    {
        if (call.Field("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer")
            return Error("unsupported_grant_type", "Invalid grant_type.");
        var now = cloud.Time.GetUtcNow();
        var claims = AccountKey.Read(call.Field("assertion"), now);
        var isGood =
            (string?)claims?["aud"] == "https://oauth2.googleapis.com/token"
            && (string?)claims?["scope"] == PlatformScope
            && (long?)claims?["exp"] <= now.AddHours(1).ToUnixTimeSeconds();
        return isGood ? Token() : Error("invalid_grant", "Invalid JWT Signature.");
    }

    private CloudAnswer Token() =>
        CloudAnswer.Json(
            200,
            new JsonObject
            {
                ["access_token"] = CreateToken("account"),
                ["expires_in"] = 3599,
                ["token_type"] = "Bearer",
            }
        );

    private string CreateToken(string kind)
    {
        var token = $"ya29.{kind}-{Guid.NewGuid():N}";
        issued.Enqueue(token);
        Issue(token);
        return token;
    }

    private static CloudAnswer Error(string code, string description) =>
        CloudAnswer.Json(400, new JsonObject { ["error"] = code, ["error_description"] = description });

    private static CloudAnswer Status(int code, string status, string message) =>
        CloudAnswer.Json(
            code,
            new JsonObject
            {
                ["error"] = new JsonObject
                {
                    ["code"] = code,
                    ["message"] = message,
                    ["status"] = status,
                },
            }
        );
}
