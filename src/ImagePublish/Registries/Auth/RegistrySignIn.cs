using System.Collections.Concurrent;
using System.Net.Http.Headers;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Registries.Auth;

/// <summary>A 401: what the registry asks for, and what it was sent.</summary>
internal sealed record Rejection(IReadOnlyList<Challenge> Challenges, AuthenticationHeaderValue? Authorization, bool IsPlainText);

/// <summary>Signing in to one registry: what it wants, and the tokens that it accepts. Safe for many callers.</summary>
/// <remarks>
/// <code>
/// Unknown --401 with Bearer--&gt; Bearer --token refused for good, Basic offered too--&gt; Basic
///    \------401 with Basic only-------------------------------------------------------^  |
///                               Bearer &lt;---401 with Bearer only--------------------------/
/// </code>
/// <list type="bullet">
/// <item>Unknown: requests go out without credentials; no credentials are looked for before the registry has asked for them.</item>
/// <item>Bearer (<see cref="realm"/> is set): a request takes a token that covers its scopes, or waits for one that is requested, once for
/// all who want the same. A token is dropped when it expires or is refused. A refused token is replaced; where its replacement is refused
/// on its first request too, another would be no better (<see cref="IsRetryFutile"/>): then the first scope is tried alone
/// (<see cref="singleScopeOnly"/>), and else Basic.
/// </item>
/// <item>Basic (<see cref="isBasic"/>): every request carries user name and password. Refused, it is over: the same password is not sent
/// twice.</item>
/// <item>A credential that a token service has refused is never sent there again for the same scopes (<see cref="refusals"/>): more
/// attempts could lock the account.</item>
/// <item>An identity token is replaced by the newer one that a service returns; an Entra token is exchanged for one, once (<see
/// cref="identityTokens"/>).</item>
/// <item>Where there are no credentials, the build's identity is asked for some (<see cref="Identities"/>), but not over plain http. What
/// only reads goes on without it if it is refused (<see cref="identityFailure"/>): the registry may let everybody read.</item>
/// </list>
/// </remarks>
internal sealed class RegistrySignIn(
    Registry registry,
    ICredentialSource credentials,
    TokenClient tokenClient,
    RealmPolicy realms,
    TimeProvider time
)
{
    private readonly Lock gate = new();
    private readonly List<BearerToken> tokens = [];
    private readonly SingleFlight<string, BearerToken> requests = new();
    private readonly SingleFlight<string, string> exchanges = new();
    private readonly ConcurrentDictionary<string, string> identityTokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> singleScopeOnly = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(BearerRealm, string, Credential?), ImagePublishException> refusals = new();
    private volatile ImagePublishException? identityFailure;
    private BearerRealm? realm;
    private bool isBasic;
    private bool isPlainText;

    public IIdentitySource? Identities { get; init; }

    /// <summary>The header to send with a request; null for none.</summary>
    public async ValueTask<AuthenticationHeaderValue?> AuthorizeAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        scopes = Restrict(scopes);
        if (Volatile.Read(ref isBasic))
            return await CreateBasicAsync(scopes, ct);
        var token = FindToken(scopes);
        if (token is null && Volatile.Read(ref this.realm) is { } realm)
            token = await ObtainAsync(realm, scopes, refused: null, ct);
        token?.CountUse();
        return token?.Header;
    }

    /// <summary>Learns from a 401. Returns whether there is another header to send now.</summary>
    public async ValueTask<bool> RefreshAsync(IReadOnlyList<Scope> scopes, Rejection rejection, CancellationToken ct)
    {
        // Credentials are looked for only after the registry has answered, so this is known in time.
        Volatile.Write(ref isPlainText, rejection.IsPlainText);
        var rejected = rejection.Authorization;
        var bearer = rejection.Challenges.FirstOrDefault(challenge => BearerRealm.Read(challenge) is not null);
        var offersBasic = rejection.Challenges.Any(challenge => challenge.IsBasic);
        var wasBasic = rejected?.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) == true;
        if (bearer is not null && !(wasBasic && offersBasic))
        {
            try
            {
                if (await RefreshTokenAsync(scopes, bearer, rejected?.Parameter, ct))
                    return true;
            }
            catch (ImagePublishException exception) when (offersBasic && exception.Code == DiagnosticCodes.Unauthorized)
            {
                // Basic, which the registry offers too, may be accepted.
            }
        }

        if (offersBasic && await TryBasicAsync(scopes, rejected, ct))
            return true;
        ThrowIfIdentityNeeded(scopes);
        return false;
    }

    private static string? GetOrigin(Credential? credential) =>
        credential?.IdentityToken is { Length: > 0 } identity ? identity
        : credential?.EntraToken is { Length: > 0 } entra ? entra
        : null;

    private static string? GetRepository(IReadOnlyList<Scope> scopes) =>
        scopes.Select(scope => scope.RepositoryName).FirstOrDefault(name => name is not null);

    private async Task<bool> RefreshTokenAsync(IReadOnlyList<Scope> scopes, Challenge challenge, string? rejected, CancellationToken ct)
    {
        var realm = BearerRealm.Read(challenge)!;
        Volatile.Write(ref this.realm, realm);
        Volatile.Write(ref isBasic, false);
        // Another request has refreshed it meanwhile.
        if (FindToken(Restrict(scopes)) is { } current && current.Value != rejected)
            return true;
        var refused = FindByValue(rejected);
        if (refused is not null && time.GetUtcNow() < refused.ExpiresAt)
            ThrowIfIdentityNeeded(scopes);
        // The challenge's own scope is often only an example; it counts where a token for what we asked for was refused.
        var wanted = refused is null ? scopes : Scope.Merge(scopes.Concat(Scope.ParseList(challenge.Parameter("scope"))));
        if (refused is not null && IsRetryFutile(refused, wanted))
        {
            // Quirk: single-scope. The first scope has to do, and a mount becomes an upload.
            if (scopes.Count < 2 || !singleScopeOnly.TryAdd(string.Join(' ', scopes), true))
                return false;
            wanted = Restrict(scopes);
        }

        var token = await ObtainAsync(realm, wanted, refused, ct);
        return token.Value != rejected;
    }

    private IReadOnlyList<Scope> Restrict(IReadOnlyList<Scope> scopes) =>
        scopes.Count > 1 && singleScopeOnly.ContainsKey(string.Join(' ', scopes)) ? [.. scopes.Take(1)] : scopes;

    // Quirk: good-token-refused. A second token is worth a try; a third only where the second was accepted once.
    private bool IsRetryFutile(BearerToken refused, IReadOnlyList<Scope> wanted) =>
        time.GetUtcNow() < refused.ExpiresAt && refused is { ReplacesRefused: true, Uses: < 2 } && Scope.Covers(refused.Scopes, wanted);

    private Task<BearerToken> ObtainAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct) =>
        requests.RunAsync(string.Join(' ', scopes), stop => RequestAsync(realm, scopes, refused, stop), ct);

    private async Task<BearerToken> RequestAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct)
    {
        if (FindToken(scopes) is { } current && current.Value != refused?.Value)
            return current;
        var credential = await FindCredentialAsync(scopes, ct);
        if (credential?.RegistryToken is { Length: > 0 } ready)
            return Store(new BearerToken(ready, scopes, time.GetUtcNow(), DateTimeOffset.MaxValue), refused);
        var token = await RequestWithFallbackAsync(realm, scopes, credential, ct);
        return Store(token with { ReplacesRefused = refused is not null && time.GetUtcNow() < refused.ExpiresAt }, refused);
    }

    private async Task<BearerToken> RequestWithFallbackAsync(
        BearerRealm realm,
        IReadOnlyList<Scope> scopes,
        Credential? credential,
        CancellationToken ct
    )
    {
        try
        {
            return await RequestWithAsync(realm, scopes, credential, ct);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.Unauthorized)
        {
            if (credential?.Identity is null)
            {
                ThrowIfIdentityNeeded(scopes);
                throw;
            }

            if (!Scope.AreForReading(scopes))
                throw;
            LeaveIdentity(exception);
            return await RequestWithFallbackAsync(realm, scopes, credential: null, ct);
        }
    }

    private async Task<BearerToken> RequestWithAsync(
        BearerRealm realm,
        IReadOnlyList<Scope> scopes,
        Credential? credential,
        CancellationToken ct
    )
    {
        var identity = await GetIdentityTokenAsync(realm, credential, ct);
        var asking = identity is null ? credential : credential! with { EntraToken = null, Password = null, IdentityToken = identity };
        var token = await AskAsync(new TokenRequest(registry, realm, scopes, asking is { IsEmpty: false } ? asking : null), ct);
        if (identity is not null && token.IdentityToken is { } newer)
            identityTokens[GetOrigin(credential)!] = newer;
        return token;
    }

    // A wrong password is sent once, however many layers wait for it: more could lock the account.
    private async Task<BearerToken> AskAsync(TokenRequest request, CancellationToken ct)
    {
        var key = (request.Realm, string.Join(' ', request.Scopes), request.Credential);
        if (refusals.TryGetValue(key, out var refusal))
            throw new ImagePublishException(refusal.Code, refusal.Message);
        try
        {
            return await tokenClient.GetTokenAsync(request, ct);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.Unauthorized)
        {
            refusals[key] = exception;
            throw;
        }
    }

    private async ValueTask<Credential?> FindCredentialAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        var credential = await credentials.FindAsync(registry, GetRepository(scopes), ct);
        var isPlain = Volatile.Read(ref isPlainText);
        if (credential is { IsEmpty: false } && isPlain)
            realms.RequirePlainText(registry);
        return credential is { IsEmpty: false } || isPlain || Identities is null ? credential : await FindIdentityAsync(scopes, ct);
    }

    private async ValueTask<Credential?> FindIdentityAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        var isForReading = Scope.AreForReading(scopes);
        if (isForReading && identityFailure is not null)
            return null;
        try
        {
            return await Identities!.FindAsync(registry, ct);
        }
        catch (ImagePublishException exception) when (isForReading)
        {
            LeaveIdentity(exception);
            return null;
        }
    }

    private void LeaveIdentity(ImagePublishException reason)
    {
        if (Interlocked.CompareExchange(ref identityFailure, reason, null) is null)
            Identities!.ReportUnused(registry, reason);
    }

    // The registry does not let everybody read after all.
    private void ThrowIfIdentityNeeded(IReadOnlyList<Scope> scopes)
    {
        if (identityFailure is { } failure && Scope.AreForReading(scopes))
            throw new ImagePublishException(failure.Code, failure.Message);
    }

    // The current one: services may return a new one with each answer, and an Entra token is exchanged once.
    private async Task<string?> GetIdentityTokenAsync(BearerRealm realm, Credential? credential, CancellationToken ct)
    {
        if (GetOrigin(credential) is not { } origin)
            return null;
        if (identityTokens.TryGetValue(origin, out var known))
            return known;
        return origin == credential!.IdentityToken
            ? origin
            : identityTokens[origin] = await exchanges.RunAsync(
                origin,
                stop => tokenClient.ExchangeAsync(registry, realm, credential, stop),
                ct
            );
    }

    private async Task<AuthenticationHeaderValue?> CreateBasicAsync(IReadOnlyList<Scope> scopes, CancellationToken ct) =>
        await FindCredentialAsync(scopes, ct) is { Username: { } username, Password: { } password }
            ? Credential.Basic(username, password)
            : null;

    private async Task<bool> TryBasicAsync(IReadOnlyList<Scope> scopes, AuthenticationHeaderValue? rejected, CancellationToken ct)
    {
        var header = await CreateBasicAsync(scopes, ct);
        if (header is null || header.Equals(rejected))
            return false;
        Volatile.Write(ref isBasic, true);
        return true;
    }

    // The newest first: it was requested because the others were refused.
    private BearerToken? FindToken(IReadOnlyList<Scope> scopes)
    {
        var now = time.GetUtcNow();
        lock (gate)
            return tokens.FindLast(token => now < token.ExpiresAt && Scope.Covers(token.Scopes, scopes));
    }

    private BearerToken? FindByValue(string? value)
    {
        lock (gate)
            return tokens.FindLast(token => token.Value == value);
    }

    private BearerToken Store(BearerToken token, BearerToken? refused)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            tokens.RemoveAll(other => other.ExpiresAt <= now || other.Value == refused?.Value || Scope.Covers(token.Scopes, other.Scopes));
            tokens.Add(token);
            return token;
        }
    }
}
