using System.Collections.Concurrent;
using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Signing in to one registry: what it wants, and the tokens it is content with. Safe for many callers.</summary>
internal sealed class RegistrySignIn(
    Registry registry,
    ICredentialSource credentials,
    TokenClient tokens,
    RealmPolicy realms,
    TimeProvider time
)
{
    private readonly Lock gate = new();
    private readonly List<BearerToken> kept = [];
    private readonly SingleFlight<string, BearerToken> requests = new();
    private readonly SingleFlight<string, string> exchanges = new();
    private readonly ConcurrentDictionary<string, string> identityTokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> tooMany = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(BearerRealm, string, Credential?), ImagePublishException> refusals = new();
    private BearerRealm? realm;
    private bool isBasic;
    private bool isPlain;

    public async ValueTask<AuthenticationHeaderValue?> AuthorizeAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        scopes = Needed(scopes);
        if (Volatile.Read(ref isBasic))
            return await BasicAsync(scopes, ct);
        var token = Find(scopes) ?? (Volatile.Read(ref this.realm) is { } realm ? await ObtainAsync(realm, scopes, null, ct) : null);
        token?.CountUse();
        return token?.Header;
    }

    public async ValueTask<bool> RefreshAsync(
        IReadOnlyList<Scope> scopes,
        IReadOnlyList<Challenge> challenges,
        AuthenticationHeaderValue? rejected,
        bool isPlain,
        CancellationToken ct
    )
    {
        // Nothing is asked for before the registry has answered, so this is known before credentials are looked for.
        Volatile.Write(ref this.isPlain, isPlain);
        var bearer = challenges.FirstOrDefault(challenge => BearerRealm.Read(challenge) is not null);
        var offersBasic = challenges.Any(challenge => challenge.IsBasic);
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
                // The other way that the registry offers may still do.
            }
        }

        return offersBasic && await TryBasicAsync(scopes, rejected, ct);
    }

    private static string? OriginOf(Credential? credential) =>
        credential?.IdentityToken is { Length: > 0 } identity ? identity
        : credential?.EntraToken is { Length: > 0 } entra ? entra
        : null;

    private static string? RepositoryOf(IReadOnlyList<Scope> scopes) =>
        scopes.Select(scope => scope.RepositoryName).FirstOrDefault(name => name is not null);

    private async Task<bool> RefreshTokenAsync(IReadOnlyList<Scope> scopes, Challenge challenge, string? rejected, CancellationToken ct)
    {
        var realm = BearerRealm.Read(challenge)!;
        Volatile.Write(ref this.realm, realm);
        Volatile.Write(ref isBasic, false);
        // Somebody else was faster.
        if (Find(Needed(scopes)) is { } current && current.Value != rejected)
            return true;
        var refused = Known(rejected);
        // The challenge's own scope is often only an example; it counts where what was asked for did not do.
        var wanted = refused is null ? scopes : Scope.Merge(scopes.Concat(Scope.ParseList(challenge.Parameter("scope"))));
        if (refused is not null && IsHopeless(refused, wanted))
        {
            // Some token services heed only one of several scopes: then what comes first has to do, and a mount becomes an upload.
            if (scopes.Count < 2 || !tooMany.TryAdd(string.Join(' ', scopes), true))
                return false;
            wanted = Needed(scopes);
        }

        var token = await ObtainAsync(realm, wanted, refused, ct);
        return token.Value != rejected;
    }

    private IReadOnlyList<Scope> Needed(IReadOnlyList<Scope> scopes) =>
        scopes.Count > 1 && tooMany.ContainsKey(string.Join(' ', scopes)) ? [.. scopes.Take(1)] : scopes;

    // A good token is refused now and then, so a second one is worth a try; a third only where the second did some good.
    private bool IsHopeless(BearerToken refused, IReadOnlyList<Scope> wanted) =>
        time.GetUtcNow() < refused.ExpiresAt && refused is { ReplacesRefused: true, Uses: < 2 } && Scope.Covers(refused.Scopes, wanted);

    private Task<BearerToken> ObtainAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct) =>
        requests.RunAsync(string.Join(' ', scopes), stop => RequestAsync(realm, scopes, refused, stop), ct);

    private async Task<BearerToken> RequestAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct)
    {
        if (Find(scopes) is { } current && current.Value != refused?.Value)
            return current;
        var credential = await FindCredentialAsync(scopes, ct);
        if (credential?.RegistryToken is { Length: > 0 } ready)
            return Keep(new BearerToken(ready, scopes, time.GetUtcNow(), DateTimeOffset.MaxValue), refused);
        var identity = await IdentityAsync(realm, credential, ct);
        var asking = identity is null ? credential : new Credential { Username = credential?.Username, IdentityToken = identity };
        var token = await AskAsync(new TokenRequest(registry, realm, scopes, asking is { IsEmpty: false } ? asking : null), ct);
        if (identity is not null && token.IdentityToken is { } newer)
            identityTokens[OriginOf(credential)!] = newer;
        return Keep(token with { ReplacesRefused = refused is not null && time.GetUtcNow() < refused.ExpiresAt }, refused);
    }

    // A wrong password is tried once, however many layers wait for it: more could lock the account.
    private async Task<BearerToken> AskAsync(TokenRequest request, CancellationToken ct)
    {
        var key = (request.Realm, string.Join(' ', request.Scopes), request.Credential);
        if (refusals.TryGetValue(key, out var refusal))
            throw new ImagePublishException(refusal.Code, refusal.Message);
        try
        {
            return await tokens.GetTokenAsync(request, ct);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.Unauthorized)
        {
            refusals[key] = exception;
            throw;
        }
    }

    private async ValueTask<Credential?> FindCredentialAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        var credential = await credentials.FindAsync(registry, RepositoryOf(scopes), ct);
        if (credential is { IsEmpty: false } && Volatile.Read(ref isPlain))
            realms.RequirePlainText(registry);
        return credential;
    }

    // The token that is current: services may give a new one with each answer, and an Entra token is exchanged once.
    private async Task<string?> IdentityAsync(BearerRealm realm, Credential? credential, CancellationToken ct)
    {
        if (OriginOf(credential) is not { } origin)
            return null;
        if (identityTokens.TryGetValue(origin, out var known))
            return known;
        return origin == credential!.IdentityToken
            ? origin
            : identityTokens[origin] = await exchanges.RunAsync(
                origin,
                stop => tokens.ExchangeAsync(registry, realm, credential, stop),
                ct
            );
    }

    private async Task<AuthenticationHeaderValue?> BasicAsync(IReadOnlyList<Scope> scopes, CancellationToken ct) =>
        await FindCredentialAsync(scopes, ct) is { Username: { } username, Password: { } password }
            ? Credential.Basic(username, password)
            : null;

    private async Task<bool> TryBasicAsync(IReadOnlyList<Scope> scopes, AuthenticationHeaderValue? rejected, CancellationToken ct)
    {
        var header = await BasicAsync(scopes, ct);
        if (header is null || header.Equals(rejected))
            return false;
        Volatile.Write(ref isBasic, true);
        return true;
    }

    // The newest first: it was got because the others did not do.
    private BearerToken? Find(IReadOnlyList<Scope> scopes)
    {
        var now = time.GetUtcNow();
        lock (gate)
            return kept.FindLast(token => now < token.ExpiresAt && Scope.Covers(token.Scopes, scopes));
    }

    private BearerToken? Known(string? value)
    {
        lock (gate)
            return kept.FindLast(token => token.Value == value);
    }

    private BearerToken Keep(BearerToken token, BearerToken? refused)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            kept.RemoveAll(other => other.ExpiresAt <= now || other.Value == refused?.Value || Scope.Covers(token.Scopes, other.Scopes));
            kept.Add(token);
            return token;
        }
    }
}
