using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>Gets access tokens for Google's registries: by workload identity federation, with the key of a service account, or from the
/// machine's metadata service.</summary>
internal sealed partial class GoogleIdentity(IdentitySearch search)
{
    private const string ProviderVariable = "GOOGLE_WORKLOAD_IDENTITY_PROVIDER";
    private const string AccountVariable = "GOOGLE_SERVICE_ACCOUNT";
    private const string FileVariable = "GOOGLE_APPLICATION_CREDENTIALS";
    private const string PoolHost = "//iam.googleapis.com/";
    private const string PlatformScope = "https://www.googleapis.com/auth/cloud-platform";
    private const string JwtType = "urn:ietf:params:oauth:token-type:jwt";

    private static readonly Uri TokenExchange = new("https://sts.googleapis.com/v1/token");
    private static readonly Uri KeyExchange = new("https://oauth2.googleapis.com/token");

    private readonly CiIdentity ci = new(search);

    public async Task<IdentityCredential?> FindAsync(CancellationToken ct) =>
        await FindFederatedAsync(ct) ?? await FindInFileAsync(ct) ?? await AskMachineAsync(ct);

    private async Task<IdentityCredential?> FindFederatedAsync(CancellationToken ct)
    {
        var named = ci.FindNamed();
        if (search.Variable(ProviderVariable) is not { } text)
        {
            if (named is not null)
                search.Hinder($"there is an identity token, but not the provider that it is for. Set {ProviderVariable}");
            return null;
        }

        if (ProviderPattern().Match(text) is not { Success: true } provider)
            throw search.Unusable(
                $"{ProviderVariable} is not a provider: '{Text.Sanitize(text)}'. Expected "
                    + "projects/123456789/locations/global/workloadIdentityPools/pool/providers/provider"
            );
        var name = provider.Groups["name"].Value;
        if ((named ?? await ci.AskGitHubAsync($"https:{PoolHost}{name}", ct)) is not { } token)
            return null;
        var account = search.Variable(AccountVariable);
        if (account is not null && !AccountPattern().IsMatch(account))
            throw search.Unusable($"{AccountVariable} is not a service account: '{Text.Sanitize(account)}'. Set it to its e-mail address");
        var federation = new Federation(PoolHost + name, JwtType)
        {
            Impersonation = account is null
                ? null
                : new Uri($"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"),
        };
        return await ExchangeAsync(federation, token, ct);
    }

    private async Task<IdentityCredential?> FindInFileAsync(CancellationToken ct)
    {
        if (search.Variable(FileVariable) is not { } path)
            return null;
        var what = $"The file that {FileVariable} names";
        var bytes = await search.ReadFileAsync(path, what, ct);
        JsonElement json;
        try
        {
            using var document = Json.Parse(bytes);
            json = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw search.Unusable($"{what}, {Text.Sanitize(path)}, is not JSON");
        }

        var type = json.ValueKind == JsonValueKind.Object ? Json.Text(json, "type") : null;
        return type switch
        {
            "service_account" => await SignInWithKeyAsync(json, ct),
            "external_account" => await SignInWithExternalAsync(json, ct),
            _ => throw search.Unusable(
                $"{what}, {Text.Sanitize(path)}, has the type '{Text.Sanitize($"{type}")}'. Use one of the types external_account and "
                    + "service_account, or sign in with 'gcloud auth configure-docker'"
            ),
        };
    }

    // https://developers.google.com/identity/protocols/oauth2/service-account#httprest
    private async Task<IdentityCredential> SignInWithKeyAsync(JsonElement json, CancellationToken ct)
    {
        var email = Json.Text(json, "client_email");
        if (email is null || !AccountPattern().IsMatch(email) || Json.Text(json, "private_key") is not { } key)
            throw search.Unusable($"The key file that {FileVariable} names has no client_email and private_key. Download it again");
        search.Client.Redactor.Add(key);
        if (Json.Text(json, "token_uri") is { } address && address != KeyExchange.AbsoluteUri)
            throw search.Unusable($"The key file that {FileVariable} names has another token_uri than {KeyExchange}. Download it again");
        var now = search.Time.GetUtcNow();
        var request = new IdentityRequest("Google's token service", HttpMethod.Post, KeyExchange)
        {
            Form =
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                new("assertion", CreateAssertion(email, key, Json.Text(json, "private_key_id"), now)),
            ],
            Advice = $"Check that the key of {email} is not deleted, and the clock of this machine",
        };
        var answer = await search.Client.GetJsonAsync(request, ct);
        var token = search.Client.ReadToken(request, answer, "access_token");
        return Create(token, now, IdentityAnswer.ReadLifetime(answer, now), $"the key of the service account {email}");
    }

    private string CreateAssertion(string email, string key, string? keyId, DateTimeOffset now)
    {
        var issuedAt = now.ToUnixTimeSeconds();
        var header = Encode(writer =>
        {
            writer.WriteString("alg", "RS256");
            writer.WriteString("typ", "JWT");
            if (keyId is not null)
                writer.WriteString("kid", keyId);
        });
        var claims = Encode(writer =>
        {
            writer.WriteString("iss", email);
            writer.WriteString("scope", PlatformScope);
            writer.WriteString("aud", KeyExchange.AbsoluteUri);
            writer.WriteNumber("iat", issuedAt);
            writer.WriteNumber("exp", issuedAt + 3600);
        });
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(key);
            var signature = rsa.SignData(
                Encoding.ASCII.GetBytes($"{header}.{claims}"),
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1
            );
            return $"{header}.{claims}.{System.Buffers.Text.Base64Url.EncodeToString(signature)}";
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            throw search.Unusable(
                $"the private_key of the file that {FileVariable} names is not an RSA key in PEM. Download the file again"
            );
        }
    }

    // https://google.aip.dev/auth/4117
    private async Task<IdentityCredential> SignInWithExternalAsync(JsonElement json, CancellationToken ct)
    {
        var audience = Json.Text(json, "audience");
        var type = Json.Text(json, "subject_token_type");
        if (
            audience?.StartsWith(PoolHost, StringComparison.Ordinal) != true
            || type is not (JwtType or "urn:ietf:params:oauth:token-type:id_token")
        )
            throw Malformed($"its audience does not begin with {PoolHost}, or its subject_token_type is neither jwt nor id_token");
        // The file may be from elsewhere, and must not send the token anywhere else:
        // https://cloud.google.com/docs/authentication/external/externally-sourced-credentials
        if (Json.Text(json, "token_url") != TokenExchange.AbsoluteUri)
            throw Malformed($"its token_url is not {TokenExchange}");
        Uri? impersonation = null;
        if (Json.Text(json, "service_account_impersonation_url") is { } url)
            impersonation = ImpersonationPattern().IsMatch(url)
                ? new Uri(url)
                : throw Malformed("its service_account_impersonation_url is not on iamcredentials.googleapis.com");
        var source = json.TryGetProperty("credential_source", out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
        if (source.ValueKind != JsonValueKind.Object)
            throw Malformed("it has no credential_source");
        var token = await ReadSubjectAsync(source, ct);
        return await ExchangeAsync(new Federation(audience, type) { Impersonation = impersonation }, token, ct);
    }

    private async Task<IdToken> ReadSubjectAsync(JsonElement source, CancellationToken ct)
    {
        const string What = "The token file of the credential_source";
        var field = ReadTokenField(source);
        if (Json.Text(source, "file") is { } path)
        {
            var text = field is null
                ? await search.ReadTokenFileAsync(path, What, ct)
                : ReadField(Encoding.UTF8.GetString(await search.ReadFileAsync(path, What, ct)), field);
            return new IdToken(text, "the token in a file");
        }

        if (Json.Text(source, "url") is not { } url || !Uri.TryCreate(url, UriKind.Absolute, out var address))
            throw Malformed("its credential_source has neither a file nor a url; sources of AWS and programs are not supported");
        // The one over plain http that is documented: Azure's managed identities.
        var isAzure = url.StartsWith($"{LocalServices.Metadata}metadata/identity/oauth2/token?", StringComparison.Ordinal);
        var request = new IdentityRequest("The service that the credential_source names", HttpMethod.Get, address)
        {
            Headers = ReadHeaders(source),
            IsLocal = isAzure,
            Advice = "In GitHub Actions, the job needs 'permissions: id-token: write'",
        };
        var response = await search.Client.SendAsync(request, ct);
        if (response.Status != HttpStatusCode.OK)
            throw search.Client.Refused(request, response);
        var token = field is null
            ? search.Client.ReadToken(request, response)
            : search.Client.ReadToken(request, search.Client.ReadJson(request, response), field);
        return new IdToken(token, $"the token of {address.Host}");
    }

    private string? ReadTokenField(JsonElement source)
    {
        if (!source.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.Object)
            return null;
        return Json.Text(format, "type") switch
        {
            null or "text" => null,
            "json" when Json.Text(format, "subject_token_field_name") is { } field => field,
            _ => throw Malformed("its credential_source has a format that is not supported"),
        };
    }

    private string ReadField(string text, string field)
    {
        try
        {
            using var document = Json.Parse(Encoding.UTF8.GetBytes(text));
            var value = document.RootElement.ValueKind == JsonValueKind.Object ? Json.Text(document.RootElement, field) : null;
            search.Client.Redactor.Add(value);
            return IdentityAnswer.IsHeaderText(value) ? value! : throw Malformed($"its token file has no '{Text.Sanitize(field)}'");
        }
        catch (JsonException)
        {
            throw Malformed("its token file is not JSON");
        }
    }

    private List<KeyValuePair<string, string>> ReadHeaders(JsonElement source)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (!source.TryGetProperty("headers", out var section) || section.ValueKind != JsonValueKind.Object)
            return headers;
        foreach (var header in section.EnumerateObject())
        {
            var value = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString()! : "";
            if (!HeaderNamePattern().IsMatch(header.Name) || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                throw Malformed("its credential_source has headers that can't be sent");
            if (value.Split(' ') is [_, var secret])
                search.Client.Redactor.Add(secret);
            headers.Add(new(header.Name, value));
        }

        return headers;
    }

    // https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
    private async Task<IdentityCredential> ExchangeAsync(Federation federation, IdToken subject, CancellationToken ct)
    {
        var request = new IdentityRequest("Google's token exchange", HttpMethod.Post, TokenExchange)
        {
            Form =
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                new("audience", federation.Audience),
                new("scope", PlatformScope),
                new("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                new("subject_token", subject.Value),
                new("subject_token_type", federation.TokenType),
            ],
            Advice = "Check the issuer, the audience and the attribute condition of the workload identity provider",
        };
        var now = search.Time.GetUtcNow();
        var json = await search.Client.GetJsonAsync(request, ct);
        var token = search.Client.ReadToken(request, json, "access_token");
        var expiresAt = IdentityAnswer.ReadLifetime(json, now);
        return federation.Impersonation is { } address
            ? await ImpersonateAsync(address, token, subject, ct)
            : Create(token, now, expiresAt, $"workload identity federation by {subject.Issuer}");
    }

    // https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
    private async Task<IdentityCredential> ImpersonateAsync(Uri address, string token, IdToken subject, CancellationToken ct)
    {
        var request = new IdentityRequest("Google's service for service accounts", HttpMethod.Post, address)
        {
            Headers = [new("Authorization", $"Bearer {token}")],
            Body = Encoding.UTF8.GetBytes($$"""{"scope":["{{PlatformScope}}"],"lifetime":"3600s"}"""),
            Advice = "Check that the identity has the role roles/iam.workloadIdentityUser for the service account",
        };
        var now = search.Time.GetUtcNow();
        var json = await search.Client.GetJsonAsync(request, ct);
        var expiresAt = IdentityAnswer.ReadInstant(Json.Text(json, "expireTime"), now);
        return Create(search.Client.ReadToken(request, json, "accessToken"), now, expiresAt, $"a service account by {subject.Issuer}");
    }

    // https://cloud.google.com/compute/docs/access/authenticate-workloads#applications. By its address: a name could be anybody's where
    // the machine is not Google's.
    private async Task<IdentityCredential?> AskMachineAsync(CancellationToken ct)
    {
        const string Flavor = "Metadata-Flavor";
        // Cloud Run and Cloud Functions show no firmware.
        var isServerless = search.Variable("K_SERVICE") is not null || search.Variable("CLOUD_RUN_JOB") is not null;
        if (!isServerless && !search.MayAskMachine("Google"))
            return null;
        var address = new Uri(LocalServices.Metadata, "computeMetadata/v1/instance/service-accounts/default/token");
        var request = new IdentityRequest("Google's metadata service", HttpMethod.Get, address)
        {
            Headers = [new(Flavor, "Google")],
            IsLocal = true,
            Advice = "Check the service account of the machine",
        };
        var response = await search.Client.TrySendAsync(request, search.Log, ct);
        // 404: a machine without a service account.
        if (response is null or { Status: HttpStatusCode.NotFound })
            return null;
        if (response.Status != HttpStatusCode.OK)
            throw search.Client.Refused(request, response);
        if (response.MetadataFlavor != "Google")
            throw search.Client.Malformed(request, $"it has no header {Flavor}: Google");
        var now = search.Time.GetUtcNow();
        var json = search.Client.ReadJson(request, response);
        var expiresAt = IdentityAnswer.ReadLifetime(json, now);
        return Create(search.Client.ReadToken(request, json, "access_token"), now, expiresAt, "the service account of this machine");
    }

    private static IdentityCredential Create(string token, DateTimeOffset issuedAt, DateTimeOffset expiresAt, string identity) =>
        IdentitySearch.Create(Credential.Create("oauth2accesstoken", token), issuedAt, expiresAt, identity);

    private Diagnostics.ImagePublishException Malformed(string reason) =>
        search.Unusable($"the file that {FileVariable} names can't be used: {reason}. Create it again with gcloud");

    private static string Encode(Action<Utf8JsonWriter> write)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return System.Buffers.Text.Base64Url.EncodeToString(json.ToArray());
    }

    [GeneratedRegex(
        @"\A((https:)?//iam\.googleapis\.com/)?(?<name>projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]+"
            + @"/providers/[a-z0-9-]+)\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex ProviderPattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\z")]
    private static partial Regex AccountPattern();

    [GeneratedRegex(@"\Ahttps://iamcredentials\.googleapis\.com/v1/projects/-/serviceAccounts/[A-Za-z0-9@._-]+:generateAccessToken\z")]
    private static partial Regex ImpersonationPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9-]+\z")]
    private static partial Regex HeaderNamePattern();

    private sealed record Federation(string Audience, string TokenType)
    {
        /// <summary>Where a token of a service account is got with the federated one; null to use that.</summary>
        public Uri? Impersonation { get; init; }
    }
}
