using System.Globalization;
using System.Text.Json;
using ImagePublish.Diagnostics;

namespace ImagePublish.Registries.Auth;

/// <summary>Reads what token services answer.</summary>
/// <remarks><see href="https://distribution.github.io/distribution/spec/auth/token/">distribution, token authentication</see>.</remarks>
internal static class TokenAnswer
{
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    /// <summary>The token of an answer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4004</c>: there is none in it.</exception>
    public static BearerToken Read(TokenRequest request, TokenHttpResponse response, DateTimeOffset issuedAt)
    {
        using var json = Parse(request, response);
        var value = Text(json.RootElement, "token") ?? Text(json.RootElement, "access_token");
        if (!IsHeaderText(value))
            throw Malformed(request, "it has no token that can be used");
        return BearerToken.Living(value!, request.Scopes, issuedAt, Lifetime(json.RootElement)) with
        {
            IdentityToken = Text(json.RootElement, "refresh_token"),
        };
    }

    /// <summary>The refresh token of an answer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4004</c>: there is none in it.</exception>
    public static string ReadRefreshToken(TokenRequest request, TokenHttpResponse response)
    {
        using var json = Parse(request, response);
        return Text(json.RootElement, "refresh_token") ?? throw Malformed(request, "it has no refresh token");
    }

    /// <summary>The error for an answer that is no success.</summary>
    public static ImagePublishException Failure(TokenRequest request, TokenHttpResponse response, Common.Redactor redactor)
    {
        var status = (int)response.Status;
        request.AddTo(redactor);
        var said = Message(response) is { Length: > 0 } message ? $": {redactor.Shown(message)}" : "";
        var where =
            $"The token service of {request.Registry} at {RealmPolicy.Shown(request.Realm.Address)} answers {status.ToString(CultureInfo.InvariantCulture)}{said}";
        return status switch
        {
            429 or >= 500 => new ImagePublishException(DiagnosticCodes.RegistryFailed, $"{where}. Try again later."),
            < 400 => new ImagePublishException(
                DiagnosticCodes.RegistryProtocol,
                $"{where}, which is no token. Check that no proxy answers in its place, or report it to the registry's operator."
            ),
            _ => new ImagePublishException(DiagnosticCodes.Unauthorized, $"{where}. {Advice(request)}"),
        };
    }

    private static string Advice(TokenRequest request) =>
        request.Credential is null
            ? $"No credentials for {request.Registry} were found: {EnvironmentCredentials.Advice(request.Registry)}"
            : $"Check the user name, the password and what they may do ({string.Join(' ', request.Scopes)}).";

    private static JsonDocument Parse(TokenRequest request, TokenHttpResponse response)
    {
        if (response.IsTruncated || response.Body.Length > TokenHttpResponse.MaxBodySize)
            throw Malformed(request, $"it is larger than {TokenHttpResponse.MaxBodySize / 1024} KiB");
        try
        {
            var json = Json.Parse(response.Body);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json : throw Malformed(request, "it is not a JSON object");
        }
        catch (JsonException)
        {
            // Without the cause: what it quotes may be a token.
            throw Malformed(request, "it is not JSON");
        }
    }

    private static string? Message(TokenHttpResponse response)
    {
        if (response.IsTruncated)
            return null;
        try
        {
            using var json = Json.Parse(response.Body);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return null;
            var first =
                root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array
                    ? errors.EnumerateArray().FirstOrDefault()
                    : root;
            return first.ValueKind == JsonValueKind.Object
                ? Text(first, "message")
                    ?? Text(first, "error_description")
                    ?? Text(first, "details")
                    ?? Text(first, "code")
                    ?? Text(first, "error")
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Some servers write the number as text. A lifetime of nothing or less is as good as none said.
    private static TimeSpan Lifetime(JsonElement root)
    {
        if (!root.TryGetProperty("expires_in", out var element))
            return DefaultLifetime;
        var text = element.ValueKind == JsonValueKind.String ? element.GetString() : element.GetRawText();
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || !(seconds > 0))
            return DefaultLifetime;
        return seconds < LongestLifetime.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestLifetime;
    }

    private static string? Text(JsonElement root, string name) => Json.Text(root, name);

    private static bool IsHeaderText(string? value) => value is not null && value.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    private static ImagePublishException Malformed(TokenRequest request, string reason) =>
        new(
            DiagnosticCodes.RegistryProtocol,
            $"The token service of {request.Registry} at {RealmPolicy.Shown(request.Realm.Address)} gives an answer that can't be used: {reason}. Check that no proxy answers in its place, or report it to the registry's operator."
        );
}
