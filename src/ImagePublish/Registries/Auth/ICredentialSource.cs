using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Where credentials come from.</summary>
internal interface ICredentialSource
{
    /// <summary>Finds what signs in to a registry.</summary>
    /// <param name="repository">The repository's name in it, where one is meant: some files keep credentials for a part of a registry.</param>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG5002</c>: a file or a helper that should have it can't be used.</exception>
    ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct);
}
