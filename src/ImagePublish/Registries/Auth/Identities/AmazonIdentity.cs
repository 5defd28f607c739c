using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using ImagePublish.Common;
using ImagePublish.Http;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>Gets passwords for Amazon's registries: finds keys of AWS as its SDKs do, but for its files, and asks the registry's service
/// with them.</summary>
internal sealed partial class AmazonIdentity(IdentitySearch search)
{
    private const string RoleVariable = "AWS_ROLE_ARN";
    private const string TokenFile = "AWS_WEB_IDENTITY_TOKEN_FILE";
    private const string Permission = "Check that the identity may do ecr:GetAuthorizationToken";

    private readonly CiIdentity ci = new(search);

    private CloudHost Host => search.Host;

    private bool IsDualStack => Host.Suffix.StartsWith("on.", StringComparison.Ordinal);

    // The suffix of services: that of registries differs where they have IPv6 addresses too.
    private string ServiceSuffix =>
        Host.Suffix switch
        {
            "on.aws" => "api.aws",
            "on.amazonwebservices.com.cn" => "api.amazonwebservices.com.cn",
            _ => Host.Suffix,
        };

    public async Task<IdentityCredential?> FindAsync(CancellationToken ct) =>
        await FindKeysAsync(ct) is { } keys ? await GetPasswordAsync(keys, ct) : null;

    private async Task<AwsKeys?> FindKeysAsync(CancellationToken ct)
    {
        var named = ci.FindNamed();
        var isRoleNamed = named is not null && search.Variable(RoleVariable) is not null;
        if (!isRoleNamed && ReadKeys() is { } keys)
            return keys;
        if (await FindRoleTokenAsync(named, ct) is var (role, token))
            return await AssumeRoleAsync(role, token, ct);
        return await AskContainerAsync(ct) ?? await AskMachineAsync(ct);
    }

    private AwsKeys? ReadKeys()
    {
        if (search.Variable("AWS_ACCESS_KEY_ID") is not { } id || search.Secret("AWS_SECRET_ACCESS_KEY") is not { } secret)
            return null;
        return KeyPattern().IsMatch(id)
            ? new AwsKeys(id, secret, search.Secret("AWS_SESSION_TOKEN"), $"the key {id} of the environment")
            : throw search.Unusable("AWS_ACCESS_KEY_ID is not an access key ID. Set it to the ID that AWS shows, AKIA… or ASIA…");
    }

    private async Task<(string Role, IdToken Token)?> FindRoleTokenAsync(IdToken? named, CancellationToken ct)
    {
        if (search.Variable(RoleVariable) is not { } role)
        {
            if (named is not null || search.Variable(TokenFile) is not null)
                search.Hinder($"there is an identity token, but not the role that it is for. Set {RoleVariable}");
            return null;
        }

        if (!RolePattern().IsMatch(role))
            throw search.Unusable($"{RoleVariable} is not a role: '{Text.Sanitize(role)}'. Expected arn:aws:iam::123456789012:role/name");
        var audience = Host.Suffix.EndsWith(".cn", StringComparison.Ordinal) ? "sts.amazonaws.com.cn" : "sts.amazonaws.com";
        var token = named ?? await ci.FindInFileAsync(TokenFile, ct) ?? await ci.AskGitHubAsync(audience, ct);
        return token is null ? null : (role, token);
    }

    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    private async Task<AwsKeys> AssumeRoleAsync(string role, IdToken token, CancellationToken ct)
    {
        var session = search.Variable("AWS_ROLE_SESSION_NAME") is { } name && SessionPattern().IsMatch(name) ? name : "ImagePublish";
        var hasFips = Host.IsFips && !Host.Region.StartsWith("us-gov-", StringComparison.Ordinal);
        var address = new Uri($"https://{(hasFips ? "sts-fips" : "sts")}.{Host.Region}.{ServiceSuffix}/");
        var request = new IdentityRequest("AWS STS", HttpMethod.Post, address)
        {
            Form =
            [
                new("Action", "AssumeRoleWithWebIdentity"),
                new("Version", "2011-06-15"),
                new("RoleArn", role),
                new("RoleSessionName", session),
                new("WebIdentityToken", token.Value),
            ],
            Advice = $"Check that the trust policy of {role} names the issuer, the audience and the subject of this build",
        };
        var response = await search.Client.SendAsync(request, ct);
        var answer = AwsXml.Read(response);
        if (response.Status != HttpStatusCode.OK)
            throw search.Client.Refused(request, response with { Body = Encoding.UTF8.GetBytes(AwsXml.Explain(answer)) });
        return new AwsKeys(
            Field("AccessKeyId", KeyPattern().IsMatch),
            Field("SecretAccessKey", IdentityAnswer.IsHeaderText),
            Field("SessionToken", IdentityAnswer.IsHeaderText),
            $"the role {role} by {token.Issuer}"
        )
        {
            ExpiresAt = IdentityAnswer.ReadInstant(answer.GetValueOrDefault("Expiration"), search.Time.GetUtcNow()),
        };

        string Field(string name, Func<string, bool> isValid)
        {
            var value = answer.GetValueOrDefault(name, "");
            search.Client.Redactor.Add(value);
            return isValid(value) ? value : throw search.Client.Malformed(request, $"it has no {name} that can be used");
        }
    }

    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    private async Task<AwsKeys?> AskContainerAsync(CancellationToken ct)
    {
        var (relative, full) = (
            search.Variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            search.Variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        );
        if ((relative ?? full) is null)
            return null;
        var text = relative is null ? full! : $"{LocalServices.ContainerCredentials}{relative.TrimStart('/')}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || !MayHaveCredentials(address, isRelative: relative is not null))
            throw search.Unusable(
                "AWS_CONTAINER_CREDENTIALS_… is not an address of such a service. Leave it as ECS, EKS or the agent sets it"
            );
        var token = search.Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") is { } path
            ? await search.ReadTokenFileAsync(path, "The file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names", ct)
            : search.Secret("AWS_CONTAINER_AUTHORIZATION_TOKEN");
        var request = new IdentityRequest("AWS's service for containers' credentials", HttpMethod.Get, address)
        {
            Headers = token is null ? [] : [new("Authorization", token)],
            IsLocal = address.Scheme == Uri.UriSchemeHttp,
            Advice = "Check the role of the task or of the pod",
        };
        return Read(request, await search.Client.GetJsonAsync(request, ct), "the role of this container");
    }

    // Besides https: the services of ECS and of EKS, and this machine.
    private static bool MayHaveCredentials(Uri address, bool isRelative)
    {
        var host = HostName.Normalize(address.IdnHost);
        return isRelative
            ? host == LocalServices.ContainerCredentials.Host && address.IsDefaultPort
            : address.Scheme == Uri.UriSchemeHttps
                || HostName.IsLoopback(host)
                || host is "169.254.170.2" or "169.254.170.23" or "fd00:ec2::23";
    }

    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html, version 2: the first version needs no token,
    // and is not asked.
    private async Task<AwsKeys?> AskMachineAsync(CancellationToken ct)
    {
        const string Roles = "latest/meta-data/iam/security-credentials/";
        var isOff = search.Variable("AWS_EC2_METADATA_DISABLED")?.Equals("true", StringComparison.OrdinalIgnoreCase) == true;
        if (isOff || !search.MayAskMachine("amazon"))
            return null;
        var open = Ask(HttpMethod.Put, "latest/api/token", new("X-aws-ec2-metadata-token-ttl-seconds", "300"));
        if (await search.Client.TrySendAsync(open, search.Log, ct) is not { Status: HttpStatusCode.OK } opened)
            return null;
        var header = new KeyValuePair<string, string>("X-aws-ec2-metadata-token", search.Client.ReadToken(open, opened));
        var list = Ask(HttpMethod.Get, Roles, header);
        var listed = await search.Client.SendAsync(list, ct);
        // A machine without a role.
        if (listed.Status == HttpStatusCode.NotFound)
            return null;
        if (listed.Status != HttpStatusCode.OK)
            throw search.Client.Refused(list, listed);
        var role = Encoding.UTF8.GetString(listed.Body.Span).Split('\n')[0].Trim();
        if (!SessionPattern().IsMatch(role))
            throw search.Client.Malformed(list, "it is not a role name");
        var request = Ask(HttpMethod.Get, Roles + role, header);
        return Read(request, await search.Client.GetJsonAsync(request, ct), $"the role {role} of this machine");

        IdentityRequest Ask(HttpMethod method, string path, KeyValuePair<string, string> header) =>
            new("EC2's metadata service", method, new Uri(LocalServices.Metadata, path))
            {
                Headers = [header],
                IsLocal = true,
                Advice = "Check the instance's role",
            };
    }

    private AwsKeys Read(IdentityRequest request, JsonElement json, string origin)
    {
        var id = search.Client.ReadToken(request, json, "AccessKeyId");
        return KeyPattern().IsMatch(id)
            ? new AwsKeys(
                id,
                search.Client.ReadToken(request, json, "SecretAccessKey"),
                search.Client.ReadToken(request, json, "Token"),
                origin
            )
            {
                ExpiresAt = IdentityAnswer.ReadInstant(Json.Text(json, "Expiration"), search.Time.GetUtcNow()),
            }
            : throw search.Client.Malformed(request, "its AccessKeyId is not an access key ID");
    }

    // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html, and that of the public registry:
    // https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_GetAuthorizationToken.html
    private async Task<IdentityCredential> GetPasswordAsync(AwsKeys keys, CancellationToken ct)
    {
        const string ContentType = "application/x-amz-json-1.1";
        var service = Host.IsPublic ? "ecr-public" : "ecr";
        var prefix =
            Host.IsFips ? "ecr-fips"
            : IsDualStack ? "ecr"
            : $"api.{service}";
        var host = $"{prefix}.{Host.Region}.{ServiceSuffix}";
        var target = Host.IsPublic ? "SpencerFrontendService" : "AmazonEC2ContainerRegistry_V20150921";
        var body = "{}"u8.ToArray();
        var toSign = new AwsRequest("POST", host, Host.Region, service)
        {
            Headers = [new("Content-Type", ContentType), new("X-Amz-Target", $"{target}.GetAuthorizationToken")],
            Body = body,
        };
        var now = search.Time.GetUtcNow();
        var request = new IdentityRequest("Amazon ECR", HttpMethod.Post, new Uri($"https://{host}/"))
        {
            Headers = [.. AwsSignature.Sign(toSign, keys, now).Where(header => header.Key != "Content-Type")],
            Body = body,
            BodyType = ContentType,
            Advice =
                $"{Permission}{(Host.IsPublic ? " of ecr-public and sts:GetServiceBearerToken" : "")}, and that keys in the environment "
                + "have not expired",
        };
        var json = await search.Client.GetJsonAsync(request, ct);
        var data = json.TryGetProperty("authorizationData", out var found) ? found : default;
        if (data.ValueKind == JsonValueKind.Array)
            data = data.EnumerateArray().FirstOrDefault();
        if (data.ValueKind != JsonValueKind.Object)
            throw search.Client.Malformed(request, "it has no authorizationData");
        var password = ReadPassword(request, search.Client.ReadToken(request, data, "authorizationToken"));
        var expiresAt = IdentityAnswer.ReadEpoch(data, "expiresAt", now);
        var isSessionShorter = keys.ExpiresAt < expiresAt;
        return IdentitySearch.Create(Credential.Create("AWS", password), now, isSessionShorter ? keys.ExpiresAt : expiresAt, keys.Origin);
    }

    private string ReadPassword(IdentityRequest request, string token)
    {
        var bytes = new byte[token.Length];
        var text = Convert.TryFromBase64String(token, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : "";
        var password = text.StartsWith("AWS:", StringComparison.Ordinal) ? text[4..] : "";
        search.Client.Redactor.Add(password, "AWS");
        return IdentityAnswer.IsHeaderText(password)
            ? password
            : throw search.Client.Malformed(request, "its authorizationToken is not a user name and password");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_]{16,128}\z")]
    private static partial Regex KeyPattern();

    [GeneratedRegex(@"\Aarn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}\z")]
    private static partial Regex RolePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9+=,.@_-]{2,64}\z")]
    private static partial Regex SessionPattern();
}

/// <summary>Reads the documents of AWS's older services, which are XML.</summary>
internal static class AwsXml
{
    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = TokenHttpResponse.MaxBodySize,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>The texts of the elements, by their local names; of several of one name the first. Empty where it is no XML.</summary>
    public static IReadOnlyDictionary<string, string> Read(TokenHttpResponse response)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (response.IsTruncated)
            return texts;
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(response.Body.ToArray()), Settings);
            var element = "";
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                    element = reader.LocalName;
                else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA)
                    texts.TryAdd(element, reader.Value);
            }

            return texts;
        }
        catch (XmlException)
        {
            return new Dictionary<string, string>(StringComparer.Ordinal);
        }
    }

    /// <summary>What an error says.</summary>
    public static string Explain(IReadOnlyDictionary<string, string> answer)
    {
        var (code, message) = (answer.GetValueOrDefault("Code", ""), answer.GetValueOrDefault("Message", ""));
        return code.Length == 0 || message.Length == 0 ? code + message : $"{code}: {message}";
    }
}
