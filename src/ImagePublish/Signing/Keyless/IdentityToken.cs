using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Keyless;

/// <summary>A token by which an issuer proves who the build is. Only what it says of itself is read here: Fulcio verifies it.</summary>
/// <remarks>It has no text form: nothing of it can get into a log.</remarks>
internal sealed class IdentityToken
{
    /// <summary>For whom it must be issued.</summary>
    public const string Audience = "sigstore";

    private const int MaxLength = 32 * 1024;
    private const string Token = "it";

    private IdentityToken(string value, string subject) => (Value, Subject) = (value, subject);

    public string Value { get; }

    /// <summary>What the key's owner signs, to prove that it has the key: Fulcio compares it with the token's.</summary>
    public string Subject { get; }

    /// <summary>Gets the token.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6040</c>: there is none; <c>IMG6041</c>: it would be refused.</exception>
    public static async Task<IdentityToken> FindAsync(
        IdentityTokenSource source,
        ServiceClient services,
        CancellationToken cancellationToken
    )
    {
        var value = source.Service is { } service ? await AskAsync(service, services, cancellationToken) : source.Value!;
        services.Redactor.Add(value);
        try
        {
            return Read(value, services.Time.GetUtcNow());
        }
        catch (RefusedSignatureException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.IdentityTokenUnusable,
                $"Images can't be signed with the identity token of {source.Name}: {exception.Message}.",
                exception
            );
        }
    }

    /// <exception cref="RefusedSignatureException">Fulcio would refuse it.</exception>
    public static IdentityToken Read(string value, DateTimeOffset now)
    {
        if (value.Length > MaxLength || value.Split('.') is not [_, var payload, _])
            throw RefusedSignatureException.Malformed("it is not a JSON web token. Set it to the token alone, as the issuer gave it");
        using var claims = SignatureJson.Parse(SignatureJson.UrlBytes(payload, "its payload"), "its payload");
        RequireAudience(claims.RootElement);
        RequireTime(claims.RootElement, now);
        var email = SignatureJson.OptionalText(claims.RootElement, "email", Token);
        var subject = email ?? SignatureJson.OptionalText(claims.RootElement, "sub", Token);
        return string.IsNullOrEmpty(subject)
            ? throw RefusedSignatureException.Malformed("it has no subject: neither 'sub' nor 'email' is set")
            : new IdentityToken(value, subject);
    }

    /// <summary>Who a token says it is for; empty for what is none.</summary>
    public static string Describe(string value)
    {
        try
        {
            if (value.Length > MaxLength || value.Split('.') is not [_, var payload, _])
                return "";
            using var claims = SignatureJson.Parse(SignatureJson.UrlBytes(payload, Token), Token);
            string?[] parts =
            [
                .. ((string[])["iss", "sub", "email"]).Select(name => SignatureJson.OptionalText(claims.RootElement, name, Token)),
            ];
            return string.Join(' ', parts);
        }
        catch (RefusedSignatureException)
        {
            return "";
        }
    }

    private static void RequireAudience(JsonElement claims)
    {
        IReadOnlyList<string> audiences = !claims.TryGetProperty("aud", out var audience)
            ? []
            : audience.ValueKind switch
            {
                JsonValueKind.Array => SignatureJson.Texts(audience, Token),
                JsonValueKind.String => [audience.GetString()!],
                _ => [],
            };
        if (!audiences.Contains(Audience))
            throw RefusedSignatureException.Malformed(
                $"it is for '{Text.Sanitize(string.Join(", ", audiences))}' (aud), and must be for '{Audience}'. Ask the issuer for one "
                    + "with that audience"
            );
    }

    private static void RequireTime(JsonElement claims, DateTimeOffset now)
    {
        if (ReadInstant(claims, "exp") is { } end && end <= now)
            throw RefusedSignatureException.Expired(
                $"it expired at {Text.Rfc3339(end)}, and it is {Text.Rfc3339(now)} by the clock of this machine. Get a new one, or set the "
                    + "clock"
            );
    }

    private static DateTimeOffset? ReadInstant(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds)
        && seconds is > 0 and < 253402300799
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    // https://docs.github.com/en/actions/reference/security/oidc
    private static async Task<string> AskAsync(TokenService service, ServiceClient services, CancellationToken cancellationToken)
    {
        services.Redactor.Add(service.Token);
        if (!RequestUrl.TryParse(service.Url, out var url))
            throw new ImagePublishException(
                DiagnosticCodes.IdentityTokenMissing,
                "Images can't be signed with GitHub's identity token: ACTIONS_ID_TOKEN_REQUEST_URL is not an address. Leave it as GitHub "
                    + "sets it."
            );
        var request = new ServiceRequest("get an identity token from GitHub", HttpMethod.Get, url.With("audience", Audience))
        {
            Authorization = $"Bearer {service.Token}",
            Code = DiagnosticCodes.IdentityTokenMissing,
            Advice = "Check that the job has 'permissions: id-token: write'.",
        };
        var response = await services.SendAsync(request, cancellationToken);
        try
        {
            using var json = SignatureJson.Parse(response.Body, "its answer");
            return SignatureJson.Text(json.RootElement, "value", "its answer");
        }
        catch (RefusedSignatureException exception)
        {
            throw ServiceClient.Fail(request, exception.Message, exception);
        }
    }
}
