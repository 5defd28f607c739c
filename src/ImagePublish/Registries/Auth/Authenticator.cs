using System.Collections.Concurrent;
using System.Net.Http.Headers;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Signs requests in to registries, for a whole build: one for each <c>RegistryClient</c>, safe for many callers.</summary>
/// <param name="credentials">Where credentials come from.</param>
/// <param name="transport">Sends the requests for tokens.</param>
/// <param name="realms">Says where tokens may be asked for.</param>
/// <param name="time">The clock that tokens expire by.</param>
/// <param name="redactor">Told every secret.</param>
internal sealed class Authenticator(ICredentialSource credentials, ITokenTransport transport, RealmPolicy realms, TimeProvider time, Redactor redactor)
{
    private readonly ConcurrentDictionary<Registry, RegistrySignIn> registries = new();
    private readonly TokenClient tokens = new(transport, realms, time, redactor);
    private readonly RedactedCredentials known = new(credentials, redactor);

    /// <summary>What to send now: a token that is known or can be got, Basic, or nothing before the registry has said what it wants.</summary>
    /// <param name="registry">The registry that the request goes to, at its own host and port.</param>
    /// <param name="scopes">What the request does; more is better, if a push is to need only one token.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>The header's value, or null to send none.</returns>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG5001</c>, <c>IMG5002</c>, <c>IMG5003</c>: signing in fails. <c>IMG4003</c>, <c>IMG4004</c>: the token service does.</exception>
    public ValueTask<AuthenticationHeaderValue?> AuthorizeAsync(Registry registry, IReadOnlyList<Scope> scopes, CancellationToken ct) =>
        SignIn(registry).AuthorizeAsync(Scope.Merge(scopes), ct);

    /// <summary>Learns from a 401 what the registry wants, and gets it.</summary>
    /// <param name="registry">The registry that answered.</param>
    /// <param name="scopes">What the request does.</param>
    /// <param name="challenges">What the answer offers.</param>
    /// <param name="rejected">What was sent, or null.</param>
    /// <param name="isPlain">Whether the registry is reached by plain http.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>Whether there is something better to send; false is the end of trying.</returns>
    /// <exception cref="Diagnostics.ImagePublishException">As <see cref="AuthorizeAsync"/>.</exception>
    public ValueTask<bool> RefreshAsync(
        Registry registry, IReadOnlyList<Scope> scopes, IReadOnlyList<Challenge> challenges, AuthenticationHeaderValue? rejected, bool isPlain, CancellationToken ct) =>
        SignIn(registry).RefreshAsync(Scope.Merge(scopes), challenges, rejected, isPlain, ct);

    private RegistrySignIn SignIn(Registry registry) => registries.GetOrAdd(registry, key => new RegistrySignIn(key, known, tokens, realms, time));

    // Nothing is sent that could be repeated before it is known here.
    private sealed class RedactedCredentials(ICredentialSource credentials, Redactor redactor) : ICredentialSource
    {
        public async ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
        {
            var credential = await credentials.FindAsync(registry, repository, ct);
            credential?.AddTo(redactor);
            return credential;
        }
    }
}
