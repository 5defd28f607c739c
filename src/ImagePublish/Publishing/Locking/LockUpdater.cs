using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Locking;

/// <summary>Renews lock files.</summary>
internal sealed class LockUpdater(RegistryClient registries, ImageStore store, IPublishLog log)
{
    /// <summary>Asks for the newest base and packages of a platform, and writes them into the lock file.</summary>
    /// <exception cref="ImagePublishException">The base or packages can't be found, or the file can't be written.</exception>
    public Task<LockUpdate> UpdateAsync(
        Platform platform,
        BaseSource source,
        PackageRequest? packages,
        LockRequest lockRequest,
        CancellationToken cancellationToken
    ) =>
        new LockStep(registries, new RegistryDocuments(registries, store), store, log).UpdateAsync(
            platform,
            source,
            packages,
            lockRequest,
            cancellationToken
        );
}
