using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Commands;

/// <summary>Signs in to registries and out again, as <c>docker login</c> does: docker, podman and skopeo know it afterwards.</summary>
internal sealed class RegistryLogin(RegistryClientOptions options, CredentialEnvironment environment, IPublishLog log, TimeProvider time)
{
    private readonly CredentialStore credentials = new(environment, log);

    /// <summary>Checks a credential against the registry, and keeps it if it is right.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5001</c>: the registry does not accept it; <c>IMG5002</c>: it
    /// can't be kept; <c>IMG4xxx</c>.</exception>
    public async Task<CredentialPlace> LoginAsync(Registry registry, Credential credential, CancellationToken cancellationToken)
    {
        using (var client = new RegistryClient(options with { Identities = null }, new FixedCredential(registry, credential), log, time))
            await client.CheckSignInAsync(registry, cancellationToken);
        return await credentials.StoreAsync(registry, credential, cancellationToken);
    }

    /// <summary>Forgets a registry's credential.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: the file or the helper can't be used.</exception>
    public Task<CredentialPlace> LogoutAsync(Registry registry, CancellationToken cancellationToken) =>
        credentials.EraseAsync(registry, cancellationToken);

    private sealed class FixedCredential(Registry registry, Credential credential) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry asked, string? repository, CancellationToken ct) =>
            ValueTask.FromResult(asked == registry ? credential : null);
    }
}
