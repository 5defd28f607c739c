using System.Net.Http.Headers;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Signing in to one registry: what it wants, and the tokens it is content with. Safe for many callers.</summary>
internal sealed class RegistrySignIn(Registry registry, ICredentialSource credentials, TokenClient tokens, TimeProvider time)
{
    // A new token that is refused is not going to be better than the next one.
    private static readonly TimeSpan NewFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NewForWhenReplaced = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly List<BearerToken> _tokens = [];
    private readonly SingleFlight<string, BearerToken> _requests = new();
    private readonly SingleFlight<string, string> _exchanges = new();
    private string? _identityToken;
    private BearerRealm? _realm;
    private bool _isBasic;

    public async ValueTask<AuthenticationHeaderValue?> AuthorizeAsync(IReadOnlyList<Scope> scopes, CancellationToken ct)
    {
        if (Volatile.Read(ref _isBasic))
            return await BasicAsync(scopes, ct);
        if (Find(scopes) is { } token)
            return token.Header;
        return Volatile.Read(ref _realm) is { } realm ? (await ObtainAsync(realm, scopes, null, ct)).Header : null;
    }

    public async ValueTask<bool> RefreshAsync(IReadOnlyList<Scope> scopes, IReadOnlyList<Challenge> challenges, AuthenticationHeaderValue? rejected, CancellationToken ct)
    {
        var bearer = challenges.FirstOrDefault(challenge => BearerRealm.Of(challenge) is not null);
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

    private static string? RepositoryOf(IReadOnlyList<Scope> scopes) => scopes.Select(scope => scope.RepositoryName).FirstOrDefault(name => name is not null);

    private async Task<bool> RefreshTokenAsync(IReadOnlyList<Scope> scopes, Challenge challenge, string? rejected, CancellationToken ct)
    {
        var realm = BearerRealm.Of(challenge)!;
        Volatile.Write(ref _realm, realm);
        Volatile.Write(ref _isBasic, false);
        // Somebody else was faster.
        if (Find(scopes) is { } current && current.Value != rejected)
            return true;
        var refused = Known(rejected);
        // The challenge's own scope is often only an example; it counts where what was asked for did not do.
        var wanted = refused is null ? scopes : Scope.Merge(scopes.Concat(Scope.ParseList(challenge.Parameter("scope"))));
        if (refused is not null && IsHopeless(refused, wanted))
            return false;
        var token = await ObtainAsync(realm, wanted, refused, ct);
        return token.Value != rejected;
    }

    private bool IsHopeless(BearerToken refused, IReadOnlyList<Scope> wanted)
    {
        var now = time.GetUtcNow();
        var age = now - refused.IssuedAt;
        return now < refused.ExpiresAt && Scope.Covers(refused.Scopes, wanted) && age < (refused.ReplacesRefused ? NewForWhenReplaced : NewFor);
    }

    private Task<BearerToken> ObtainAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct) =>
        _requests.RunAsync(string.Join(' ', scopes), stop => RequestAsync(realm, scopes, refused, stop), ct);

    private async Task<BearerToken> RequestAsync(BearerRealm realm, IReadOnlyList<Scope> scopes, BearerToken? refused, CancellationToken ct)
    {
        if (Find(scopes) is { } current && current.Value != refused?.Value)
            return current;
        var credential = await credentials.FindAsync(registry, RepositoryOf(scopes), ct);
        if (credential?.RegistryToken is { Length: > 0 } ready)
            return Keep(new BearerToken(ready, scopes, time.GetUtcNow(), DateTimeOffset.MaxValue));
        if (credential?.EntraToken is { Length: > 0 })
            credential = new Credential { IdentityToken = await ExchangeAsync(realm, credential, ct) };
        else if (credential?.IdentityToken is { Length: > 0 } && Volatile.Read(ref _identityToken) is { } newer)
            credential = credential with { IdentityToken = newer };
        var token = await tokens.GetTokenAsync(new TokenRequest(registry, realm, scopes, credential is { IsEmpty: false } ? credential : null), ct);
        if (token.IdentityToken is not null && credential?.IdentityToken is { Length: > 0 })
            Volatile.Write(ref _identityToken, token.IdentityToken);
        return Keep(token with { ReplacesRefused = refused is not null && time.GetUtcNow() < refused.ExpiresAt });
    }

    private async Task<string> ExchangeAsync(BearerRealm realm, Credential credential, CancellationToken ct)
    {
        if (Volatile.Read(ref _identityToken) is { } known)
            return known;
        var token = await _exchanges.RunAsync("", stop => tokens.ExchangeAsync(registry, realm, credential, stop), ct);
        Volatile.Write(ref _identityToken, token);
        return token;
    }

    private async Task<AuthenticationHeaderValue?> BasicAsync(IReadOnlyList<Scope> scopes, CancellationToken ct) =>
        await credentials.FindAsync(registry, RepositoryOf(scopes), ct) is { Username: { } username, Password: { } password } ? Credential.Basic(username, password) : null;

    private async Task<bool> TryBasicAsync(IReadOnlyList<Scope> scopes, AuthenticationHeaderValue? rejected, CancellationToken ct)
    {
        var header = await BasicAsync(scopes, ct);
        if (header is null || header.Equals(rejected))
            return false;
        Volatile.Write(ref _isBasic, true);
        return true;
    }

    // The newest first: it was got because the others did not do.
    private BearerToken? Find(IReadOnlyList<Scope> scopes)
    {
        var now = time.GetUtcNow();
        lock (_gate)
            return _tokens.FindLast(token => now < token.ExpiresAt && Scope.Covers(token.Scopes, scopes));
    }

    private BearerToken? Known(string? value)
    {
        lock (_gate)
            return _tokens.FindLast(token => token.Value == value);
    }

    private BearerToken Keep(BearerToken token)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            _tokens.RemoveAll(other => other.ExpiresAt <= now || Scope.Covers(token.Scopes, other.Scopes));
            _tokens.Add(token);
            return token;
        }
    }
}
