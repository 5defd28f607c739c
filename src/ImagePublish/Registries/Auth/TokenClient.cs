using System.Net;
using System.Net.Http.Headers;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Gets tokens from token services: by GET for a password or nobody, by OAuth2 POST for an identity token, each falling back to the other.</summary>
internal sealed class TokenClient(ITokenTransport transport, RealmPolicy realms, TimeProvider time, Redactor redactor)
{
    private const int MostRedirects = 5;

    /// <summary>Gets a token.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5001</c>: refused. <c>IMG5003</c>: it would have to be asked for in an untrusted place. <c>IMG4003</c>, <c>IMG4004</c>: the service fails or answers nonsense.</exception>
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
            // Where neither way works, the one that the service knows has the better message.
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
    /// <remarks><see href="https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md">ACR, AAD integration</see>. It goes to the registry itself and nowhere else.</remarks>
    /// <exception cref="ImagePublishException">As <see cref="GetTokenAsync"/>.</exception>
    public async Task<string> ExchangeAsync(Registry registry, BearerRealm realm, Credential credential, CancellationToken ct)
    {
        CheckTrust(new TokenRequest(registry, realm, [], credential), realm.Address);
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
            && !RealmPolicy.IsLoopbackName(RealmPolicy.Normalize(address.IdnHost))
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
