using System.Collections.Concurrent;
using System.Globalization;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImagePublish.Testing.Clouds;

/// <summary>Keys as AWS knows them.</summary>
public sealed record AmazonKeys(string Id, string Secret, string? Session, DateTimeOffset Expires);

/// <summary>
/// AWS STS, ECR's GetAuthorizationToken, EC2's metadata service (version 2) and the services for containers' credentials.
/// </summary>
/// <seealso href="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"/>
/// <seealso href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"/>
/// <seealso href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html"/>
/// <seealso href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"/>
public sealed partial class AmazonServices(FakeCloud cloud)
{
    public const string Role = "arn:aws:iam::123456789012:role/publisher";
    public const string ChinaRole = "arn:aws-cn:iam::123456789012:role/publisher";
    public const string ContainerToken = "container-authorization-1";

    private readonly ConcurrentDictionary<string, AmazonKeys> keys = new();
    private readonly ConcurrentDictionary<string, bool> sessions = new();
    private readonly ConcurrentQueue<string> passwords = new();

    /// <summary>The role of the machine; null: it has none.</summary>
    public string? InstanceRole { get; set; } = "builder";

    /// <summary>Called with each password.</summary>
    public Action<string> Issue { get; set; } = _ => { };

    /// <summary>The registry's passwords that were given.</summary>
    public IReadOnlyCollection<string> Passwords => passwords;

    public IReadOnlyCollection<AmazonKeys> Keys => [.. keys.Values];

    /// <summary>Keys of a user, or of a session.</summary>
    public AmazonKeys CreateKeys(bool isSession = false)
    {
        var created = new AmazonKeys(
            (isSession ? "ASIA" : "AKIA") + RandomNumberGenerator.GetHexString(16),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)),
            isSession ? Convert.ToBase64String(RandomNumberGenerator.GetBytes(300)) : null,
            cloud.Time.GetUtcNow().AddHours(1)
        );
        return keys[created.Id] = created;
    }

    internal CloudAnswer AnswerSts(CloudCall call)
    {
        if (call.Method != "POST" || call.Path != "/" || call.Field("Version") != "2011-06-15")
            return StsError(400, "InvalidAction", "Could not find operation for this version");
        if (call.Field("Action") != "AssumeRoleWithWebIdentity" || call.Header("Authorization") is not null)
            return StsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        if (!SessionName().IsMatch(call.Field("RoleSessionName") ?? ""))
            return StsError(400, "ValidationError", "1 validation error detected: roleSessionName");
        var isChina = call.Host.EndsWith(".cn", StringComparison.Ordinal);
        if (cloud.Ci.Read(call.Field("WebIdentityToken"), isChina ? "sts.amazonaws.com.cn" : "sts.amazonaws.com") is null)
            return StsError(400, "InvalidIdentityToken", "Incorrect token audience");
        if (call.Field("RoleArn") != (isChina ? ChinaRole : Role))
            return StsError(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        var session = CreateKeys(isSession: true);
        return new CloudAnswer(
            200,
            $"""
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <AssumeRoleWithWebIdentityResult>
                <SubjectFromWebIdentityToken>{CiServices.GitHubSubject}</SubjectFromWebIdentityToken>
                <Audience>sts.amazonaws.com</Audience>
                <Credentials>
                  <AccessKeyId>{session.Id}</AccessKeyId>
                  <SecretAccessKey>{SecurityElement.Escape(session.Secret)}</SecretAccessKey>
                  <SessionToken>{SecurityElement.Escape(session.Session)}</SessionToken>
                  <Expiration>{Instant(session.Expires)}</Expiration>
                </Credentials>
              </AssumeRoleWithWebIdentityResult>
              <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
            </AssumeRoleWithWebIdentityResponse>
            """,
            "text/xml"
        );
    }

    internal CloudAnswer AnswerEcr(CloudCall call)
    {
        var isPublic = call.Host == "api.ecr-public.us-east-1.amazonaws.com";
        if (EcrHost().Match(call.Host) is not { Success: true } host)
            return EcrError("UnknownOperationException", "There is no such endpoint");
        var target = isPublic ? "SpencerFrontendService" : "AmazonEC2ContainerRegistry_V20150921";
        if (call.Method != "POST" || call.Path != "/" || call.Header("X-Amz-Target") != $"{target}.GetAuthorizationToken")
            return EcrError("UnknownOperationException", "The operation is unknown");
        if (call.Header("Content-Type") != "application/x-amz-json-1.1" || JsonNode.Parse(call.Body) is not JsonObject)
            return EcrError("SerializationException", "The body is no JSON of version 1.1");
        if (FindSignatureError(call, host.Groups["region"].Value, isPublic ? "ecr-public" : "ecr") is { } error)
            return error;
        var password = $"ecr-password-{Guid.NewGuid():N}";
        passwords.Enqueue(password);
        Issue(password);
        var data = new JsonObject
        {
            ["authorizationToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"AWS:{password}")),
            ["expiresAt"] = cloud.Time.GetUtcNow().AddHours(12).ToUnixTimeMilliseconds() / 1000.0,
        };
        if (!isPublic)
            data["proxyEndpoint"] = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        return CloudAnswer.Json(200, new JsonObject { ["authorizationData"] = isPublic ? data : new JsonArray(data) });
    }

    internal CloudAnswer AnswerMetadata(CloudCall call)
    {
        const string Roles = "/latest/meta-data/iam/security-credentials/";
        if (call.Header("X-Forwarded-For") is not null)
            return CloudAnswer.Text(403, "Forbidden");
        if (call is { Method: "PUT", Path: "/latest/api/token" })
        {
            if (
                !int.TryParse(call.Header("X-aws-ec2-metadata-token-ttl-seconds"), CultureInfo.InvariantCulture, out var ttl)
                || ttl is < 1 or > 21600
            )
                return CloudAnswer.Text(400, "Bad Request");
            var token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(40));
            sessions[token] = true;
            return CloudAnswer.Text(200, token);
        }

        // Version 1, without a token, is switched off.
        if (!sessions.ContainsKey(call.Header("X-aws-ec2-metadata-token") ?? ""))
            return CloudAnswer.Text(401, "Unauthorized");
        if (InstanceRole is null || call.Method != "GET")
            return CloudAnswer.Text(404, "Not Found");
        return call.Path == Roles ? CloudAnswer.Text(200, InstanceRole)
            : call.Path == Roles + InstanceRole ? Credentials("Success")
            : CloudAnswer.Text(404, "Not Found");
    }

    /// <summary>ECS gives them without a token, EKS's agent with one.</summary>
    internal CloudAnswer AnswerContainer(CloudCall call) =>
        (call.Host, call.Path) switch
        {
            ("169.254.170.2", "/v2/credentials/task-1") => Credentials(null),
            ("169.254.170.23", "/v1/credentials") when call.Header("Authorization") == ContainerToken => Credentials(null),
            ("169.254.170.23", "/v1/credentials") => CloudAnswer.Json(
                400,
                new JsonObject { ["message"] = "Service account token cannot be empty" }
            ),
            _ => CloudAnswer.Text(404, "unknown"),
        };

    private CloudAnswer Credentials(string? code)
    {
        var session = CreateKeys(isSession: true);
        var json = new JsonObject
        {
            ["AccessKeyId"] = session.Id,
            ["SecretAccessKey"] = session.Secret,
            ["Token"] = session.Session,
            ["Expiration"] = Instant(session.Expires),
        };
        if (code is not null)
            json["Code"] = code;
        return CloudAnswer.Json(200, json);
    }

    // Written from the specification of the signature, and not from the code that signs.
    private CloudAnswer? FindSignatureError(CloudCall call, string region, string service)
    {
        var pattern = AuthorizationHeader().Match(call.Header("Authorization") ?? "");
        if (!pattern.Success)
            return EcrError("IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.");
        if (!keys.TryGetValue(pattern.Groups["id"].Value, out var known))
            return EcrError("UnrecognizedClientException", "The security token included in the request is invalid.");
        var names = pattern.Groups["names"].Value.Split(';');
        var sent = call.Headers.Keys.Where(name => name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase)).Append("host");
        if (!sent.All(name => names.Contains(name.ToLowerInvariant())) || !names.Order(StringComparer.Ordinal).SequenceEqual(names))
            return EcrError("InvalidSignatureException", "'Host' and all 'X-Amz-' headers must be signed, in order.");
        if (known.Session != call.Header("X-Amz-Security-Token") || known.Expires < cloud.Time.GetUtcNow())
            return EcrError("ExpiredTokenException", "The security token included in the request is expired");
        var stamp = call.Header("X-Amz-Date") ?? "";
        var isDate = DateTimeOffset.TryParseExact(
            stamp,
            "yyyyMMdd'T'HHmmss'Z'",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var date
        );
        if (!isDate || (cloud.Time.GetUtcNow() - date).Duration() > TimeSpan.FromMinutes(5))
            return EcrError("InvalidSignatureException", "Signature expired");
        var scope = $"{stamp[..8]}/{region}/{service}/aws4_request";
        if (pattern.Groups["scope"].Value != scope)
            return EcrError("InvalidSignatureException", $"Credential should be scoped to a valid region and service: {scope}");
        return Sign(call, names, known.Secret, scope) == pattern.Groups["signature"].Value
            ? null
            : EcrError("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.");
    }

    private static string Sign(CloudCall call, string[] names, string secret, string scope)
    {
        var canonical = new StringBuilder($"{call.Method}\n{call.Path}\n\n");
        foreach (var name in names)
            canonical.Append(CultureInfo.InvariantCulture, $"{name}:{(name == "host" ? call.Host : call.Header(name))}\n");
        canonical.Append('\n').AppendJoin(';', names).Append('\n').Append(Hash(call.Body));
        var toSign = $"AWS4-HMAC-SHA256\n{call.Header("X-Amz-Date")}\n{scope}\n{Hash(canonical.ToString())}";
        var key = scope
            .Split('/')
            .Aggregate(Encoding.UTF8.GetBytes($"AWS4{secret}"), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Instant(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static CloudAnswer StsError(int status, string code, string message) =>
        new(
            status,
            $"""
            <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
              <RequestId>1</RequestId>
            </ErrorResponse>
            """,
            "text/xml"
        );

    private static CloudAnswer EcrError(string type, string message) =>
        CloudAnswer.Json(400, new JsonObject { ["__type"] = type, ["message"] = message });

    [GeneratedRegex(@"\A[\w+=,.@-]{2,64}\z")]
    private static partial Regex SessionName();

    [GeneratedRegex(
        @"\A(api\.ecr|ecr|ecr-fips|api\.ecr-public)\.(?<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|api\.aws)\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex EcrHost();

    [GeneratedRegex(
        @"\AAWS4-HMAC-SHA256 Credential=(?<id>\w+)/(?<scope>[a-z0-9/_-]+), SignedHeaders=(?<names>[a-z0-9;-]+), Signature=(?<signature>[0-9a-f]{64})\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex AuthorizationHeader();
}
