using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Registries.Auth;

/// <summary>Requests tokens from token services: by GET with a password or anonymously, by OAuth2 POST with an identity token, each falling
/// back to the other.</summary>
internal sealed class TokenClient(ITokenTransport transport, RealmPolicy realms, TimeProvider time, Redactor redactor)
{
    private const int MostRedirects = 5;

    /// <summary>Gets a token.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5001</c>: refused. <c>IMG5003</c>: the realm is not trusted. <c>IMG4003</c>,
    /// <c>IMG4004</c>: the service fails or its answer is malformed.</exception>
    public async Task<BearerToken> GetTokenAsync(TokenRequest request, CancellationToken ct)
    {
        CheckTrust(request, request.Realm.Address);
        request.AddTo(redactor);
        var issuedAt = time.GetUtcNow();
        var isIdentity = request.Credential?.IdentityToken is { Length: > 0 };
        var response = isIdentity ? await PostAsync(request, ct) : await GetAsync(request, ct);
        if (MayTryOtherWay(request, isIdentity, response.Status))
        {
            issuedAt = time.GetUtcNow();
            var other = isIdentity ? await GetAsync(request, ct) : await PostAsync(request, ct);
            // Where neither works, the one that the service supports has the better message.
            response = IsSuccess(other.Status) || !IsUnknownWay(other.Status) ? other : response;
        }

        if (!IsSuccess(response.Status))
            throw TokenAnswer.Failure(request, response, redactor);
        var token = TokenAnswer.Read(request, response, issuedAt);
        redactor.Add(token.Value);
        redactor.Add(token.IdentityToken);
        return token;
    }

    /// <summary>Exchanges an Entra access token for the refresh token of an Azure registry.</summary>
    /// <remarks><see href="https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md">ACR, AAD integration</see>. It goes to the registry
    /// itself and nowhere else.</remarks>
    /// <exception cref="ImagePublishException">As <see cref="GetTokenAsync"/>.</exception>
    public async Task<string> ExchangeAsync(Registry registry, BearerRealm realm, Credential credential, CancellationToken ct)
    {
        CheckTrust(new TokenRequest(registry, realm, [], credential), realm.Address);
        // Quirk: entra-exchange.
        var address = new Uri($"{realm.Address.Scheme}://{registry.ApiHost}/oauth2/exchange");
        var request = new TokenRequest(registry, realm with { Address = address }, [], credential);
        var response = await SendFormAsync(
            request,
            [
                new("grant_type", "access_token"),
                new("service", realm.Service ?? registry.Host),
                new("access_token", credential.EntraToken ?? ""),
            ],
            ct
        );
        if (!IsSuccess(response.Status))
            throw TokenAnswer.Failure(request, response, redactor);
        var token = TokenAnswer.ReadRefreshToken(request, response);
        redactor.Add(token);
        return token;
    }

    // Quirk: token-post-refused.
    private static bool MayTryOtherWay(TokenRequest request, bool wasPost, HttpStatusCode status) =>
        wasPost
            ? IsUnknownWay(status) || status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized || IsRedirect(status)
            : IsUnknownWay(status) && request.Form is not null;

    private static bool IsUnknownWay(HttpStatusCode status) => status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed;

    private static bool IsSuccess(HttpStatusCode status) =>
        status == HttpStatusCode.OK || status is HttpStatusCode.Created or HttpStatusCode.Accepted;

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private void CheckTrust(TokenRequest request, Uri address)
    {
        if (realms.Check(request.Registry, address) == RealmTrust.Foreign && request.Credential is not null)
            throw RealmPolicy.Foreign(request.Registry, address);
        if (
            address.Scheme == Uri.UriSchemeHttp
            && request.Credential is not null
            && !HostName.IsLoopback(HostName.Normalize(address.IdnHost))
        )
            realms.RequirePlainText(request.Registry);
    }

    private Task<TokenHttpResponse> PostAsync(TokenRequest request, CancellationToken ct) => SendFormAsync(request, request.Form ?? [], ct);

    private async Task<TokenHttpResponse> SendFormAsync(
        TokenRequest request,
        IReadOnlyList<KeyValuePair<string, string>> form,
        CancellationToken ct
    )
    {
        using var message = Message(HttpMethod.Post, request, request.Realm.Address);
        message.Content = new FormUrlEncodedContent(form);
        return await transport.SendAsync(message, ct);
    }

    private async Task<TokenHttpResponse> GetAsync(TokenRequest request, CancellationToken ct)
    {
        var address = request.GetAddress;
        for (var redirects = 0; ; redirects++)
        {
            using var message = Message(HttpMethod.Get, request, address);
            if (request.Basic is var (username, secret))
                message.Headers.Authorization = Credential.Basic(username, secret);
            var response = await transport.SendAsync(message, ct);
            if (!IsRedirect(response.Status) || response.Location is null || redirects == MostRedirects)
                return response;
            address = Uri.TryCreate(address, response.Location, out var next)
                ? next
                : throw TokenAnswer.Failure(request, response, redactor);
            CheckTrust(request, address);
        }
    }

    private HttpRequestMessage Message(HttpMethod method, TokenRequest request, Uri address)
    {
        var message = new HttpRequestMessage(method, address);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (realms.NeedsGuard(request.Registry, address))
            message.Options.Set(AddressGuard.RegistryOption, request.Registry);
        return message;
    }
}

internal sealed record TokenRequest(Registry Registry, BearerRealm Realm, IReadOnlyList<Scope> Scopes, Credential? Credential)
{
    private const string ClientId = "imagepublish";

    // Quirk: zero-user. Other registries ignore it.
    private const string ZeroUser = "00000000-0000-0000-0000-000000000000";

    /// <summary>The URL of a GET: the realm with its own query, and one <c>scope</c> for each.</summary>
    public Uri GetAddress
    {
        get
        {
            var address = new StringBuilder(
                Realm.Address.GetComponents(UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped)
            );
            var separator = Realm.Address.Query.Length > 1 ? '&' : '?';
            foreach (var (name, value) in GetParameters())
            {
                address.Append(address[^1] is '?' or '&' ? "" : separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }

            return new Uri(address.ToString());
        }
    }

    /// <summary>The form of a POST, <see href="https://distribution.github.io/distribution/spec/auth/oauth/">OAuth2</see>, where the
    /// credential can be sent so.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Form
    {
        get
        {
            IEnumerable<KeyValuePair<string, string>>? grant = Credential switch
            {
                { IdentityToken: { Length: > 0 } token } => [new("grant_type", "refresh_token"), new("refresh_token", token)],
                { Username: { Length: > 0 } user, Password: { } password } =>
                [
                    new("grant_type", "password"),
                    new("username", user),
                    new("password", password),
                ],
                _ => null,
            };
            return grant is null ? null : [.. grant, .. CommonForm()];
        }
    }

    public (string Username, string Secret)? Basic =>
        Credential switch
        {
            { IdentityToken: { Length: > 0 } token } => (Credential.Username is { Length: > 0 } user ? user : ZeroUser, token),
            { Username: { } user, Password: { } password } => (user, password),
            _ => null,
        };

    public void AddTo(Redactor redactor)
    {
        Credential?.AddTo(redactor);
        if (Basic is var (username, secret))
            redactor.Add(secret, username);
    }

    private IEnumerable<(string Name, string Value)> GetParameters() =>
        (Realm.Service is { } service ? (IEnumerable<(string, string)>)[("service", service)] : []).Concat(
            Scopes.Select(scope => ("scope", scope.ToString()))
        );

    private IEnumerable<KeyValuePair<string, string>> CommonForm()
    {
        yield return new("client_id", ClientId);
        if (Realm.Service is { } service)
            yield return new("service", service);
        if (Scopes.Count > 0)
            yield return new("scope", string.Join(' ', Scopes));
    }
}

/// <summary>Reads what token services answer.</summary>
/// <remarks><see href="https://distribution.github.io/distribution/spec/auth/token/">distribution, token authentication</see>.</remarks>
internal static class TokenAnswer
{
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);

    /// <summary>The token of an answer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4004</c>: there is none in it.</exception>
    public static BearerToken Read(TokenRequest request, TokenHttpResponse response, DateTimeOffset issuedAt)
    {
        var json = Parse(request, response);
        var value = Text(json, "token") ?? Text(json, "access_token");
        if (!IsHeaderText(value))
            throw Malformed(request, "it has no token that can be used");
        return BearerToken.Living(value!, request.Scopes, issuedAt, ReadLifetime(json, DefaultLifetime)) with
        {
            IdentityToken = Text(json, "refresh_token"),
        };
    }

    /// <summary>The refresh token of an answer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4004</c>: there is none in it.</exception>
    public static string ReadRefreshToken(TokenRequest request, TokenHttpResponse response) =>
        Text(Parse(request, response), "refresh_token") ?? throw Malformed(request, "it has no refresh token");

    // Quirk: lifetime-as-text. A lifetime of nothing or less counts as none.
    public static TimeSpan ReadLifetime(JsonElement json, TimeSpan usual) =>
        Json.Number(json, "expires_in") is > 0 and var seconds
            ? TimeSpan.FromSeconds(Math.Min(seconds, LongestLifetime.TotalSeconds))
            : usual;

    public static bool IsHeaderText(string? value) => value is not null && value.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    public static ImagePublishException Failure(TokenRequest request, TokenHttpResponse response, Common.Redactor redactor)
    {
        var status = (int)response.Status;
        request.AddTo(redactor);
        var detail = Message(response) is { Length: > 0 } message ? $": {redactor.Shown(message)}" : "";
        var where =
            $"The token service of {request.Registry} at {RealmPolicy.Shown(request.Realm.Address)} answers "
            + $"{status.ToString(CultureInfo.InvariantCulture)}{detail}";
        return status switch
        {
            429 or >= 500 => new ImagePublishException(DiagnosticCodes.RegistryFailed, $"{where}. Try again later."),
            < 400 => new ImagePublishException(
                DiagnosticCodes.RegistryProtocol,
                $"{where}, which is not a token. Check whether a proxy answers instead, or report it to the registry's operator."
            ),
            _ => new ImagePublishException(DiagnosticCodes.Unauthorized, $"{where}. {Advice(request)}"),
        };
    }

    private static string Advice(TokenRequest request) =>
        request.Credential is null ? EnvironmentCredentials.Advice(request.Registry)
        : request.Credential.Identity is { } identity
            ? $"It was asked with {identity}. Check what that may do in the registry{DescribeScopes(request)}."
        : $"Check the user name, the password and what they may do ({string.Join(' ', request.Scopes)}).";

    private static string DescribeScopes(TokenRequest request) => request.Scopes.Count > 0 ? $" ({string.Join(' ', request.Scopes)})" : "";

    private static JsonElement Parse(TokenRequest request, TokenHttpResponse response) =>
        response.ReadObject(reason => Malformed(request, reason));

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

    private static string? Text(JsonElement root, string name) => Json.Text(root, name);

    private static ImagePublishException Malformed(TokenRequest request, string reason) =>
        new(
            DiagnosticCodes.RegistryProtocol,
            $"The token service of {request.Registry} at {RealmPolicy.Shown(request.Realm.Address)} returned an invalid "
                + $"response: {reason}. Check whether a proxy answers instead, or report it to the registry's operator."
        );
}

/// <summary>Sends the requests that get tokens.</summary>
/// <remarks>It follows no redirect, keeps no cookies, reads at most <see cref="TokenHttpResponse.MaxBodySize"/> bytes of a body, and
/// retries what deserves it (a request may be sent again as it is). A request that has <see cref="AddressGuard.RegistryOption"/> goes
/// through a handler that <see cref="AddressGuard.Protect"/> was given, and no other request does. An <see
/// cref="Diagnostics.ImagePublishException"/> inside an <see cref="HttpRequestException"/> is the guard's refusal: thrown on as it is,
/// never retried.</remarks>
internal interface ITokenTransport
{
    Task<TokenHttpResponse> SendAsync(HttpRequestMessage request, CancellationToken ct);
}

internal sealed record TokenHttpResponse(HttpStatusCode Status, ReadOnlyMemory<byte> Body)
{
    public const int MaxBodySize = 128 * 1024;

    public bool IsTruncated { get; init; }

    /// <summary>Where a redirect leads, as the header says it: it may be relative.</summary>
    public Uri? Location { get; init; }

    /// <summary>The header by which Google's metadata service shows that it is the one that answers.</summary>
    public string? MetadataFlavor { get; init; }

    /// <summary>The JSON object that the body is.</summary>
    /// <param name="fail">Makes the error, of what is wrong with the answer.</param>
    public JsonElement ReadObject(Func<string, ImagePublishException> fail)
    {
        if (IsTruncated || Body.Length > MaxBodySize)
            throw fail($"it is larger than {MaxBodySize / 1024} KiB");
        try
        {
            using var json = Json.Parse(Body);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.Clone() : throw fail("it is not a JSON object");
        }
        catch (JsonException)
        {
            // Without the cause: what it quotes may be a token.
            throw fail("it is not JSON");
        }
    }

    public override string ToString() => $"TokenHttpResponse {{ {Status} }}";
}
