using System.Collections.Concurrent;
using System.Net.Http.Headers;
using ImagePublish.Common;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Registries.Auth;

/// <summary>Signs requests in to registries, for a whole build: one for each <c>RegistryClient</c>, safe for many callers.</summary>
internal sealed class Authenticator(
    ICredentialSource credentials,
    ITokenTransport transport,
    RealmPolicy realms,
    TimeProvider time,
    Redactor redactor,
    IIdentitySource? identities = null
)
{
    private readonly ConcurrentDictionary<Registry, RegistrySignIn> registries = new();
    private readonly TokenClient tokens = new(transport, realms, time, redactor);
    private readonly RedactedCredentials known = new(credentials, redactor);

    /// <summary>The header to send: a token that is kept or can be requested, Basic, or none before the registry has asked for
    /// one.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG5001</c>, <c>IMG5002</c>, <c>IMG5003</c>: signing in fails.
    /// <c>IMG4003</c>, <c>IMG4004</c>: the token service does.</exception>
    public ValueTask<AuthenticationHeaderValue?> AuthorizeAsync(Registry registry, IReadOnlyList<Scope> scopes, CancellationToken ct) =>
        SignIn(registry).AuthorizeAsync(Scope.Merge(scopes), ct);

    /// <summary>Learns from a 401 what the registry wants. Returns whether there is another header to send now.</summary>
    /// <exception cref="Diagnostics.ImagePublishException">As <see cref="AuthorizeAsync"/>.</exception>
    public ValueTask<bool> RefreshAsync(Registry registry, IReadOnlyList<Scope> scopes, Rejection rejection, CancellationToken ct) =>
        SignIn(registry).RefreshAsync(Scope.Merge(scopes), rejection, ct);

    private RegistrySignIn SignIn(Registry registry) =>
        registries.GetOrAdd(registry, key => new RegistrySignIn(key, known, tokens, realms, time) { Identities = identities });

    // What an answer may repeat is known to the redactor before it is sent.
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

/// <summary>Credentials that the identity of the build gives. It is asked where there are no others.</summary>
internal interface IIdentitySource
{
    /// <summary>Finds what signs in to a registry; null where the build has no identity for it.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG5020</c>, <c>IMG5021</c>, <c>IMG5022</c>: the identity is refused or can't
    /// be used.</exception>
    ValueTask<Credential?> FindAsync(Registry registry, CancellationToken ct);

    /// <summary>Reports that a registry is read from without the identity, as if there were none.</summary>
    void ReportUnused(Registry registry, Diagnostics.ImagePublishException reason);
}
