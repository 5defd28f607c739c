using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Locking;

/// <summary>Renews lock files.</summary>
/// <param name="registries">The registries.</param>
/// <param name="store">The local store.</param>
/// <param name="log">Where to tell what is done.</param>
public sealed class LockUpdater(RegistryClient registries, ImageStore store, IEngineLog log)
{
    /// <summary>Asks for the newest base and packages of a platform, and writes them into the lock file.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="source">Where the base is.</param>
    /// <param name="packages">The packages; null for none.</param>
    /// <param name="lockRequest">The lock file.</param>
    /// <param name="cancellationToken">Gives up; the file stays as it was.</param>
    /// <returns>What is new.</returns>
    /// <exception cref="ImagePublishException">The base or packages can't be found, or the file can't be written.</exception>
    public Task<LockUpdate> UpdateAsync(Platform platform, BaseSource source, PackageRequest? packages, LockRequest lockRequest, CancellationToken cancellationToken) =>
        new LockStep(registries, new RemoteDocuments(registries, store), store, log).UpdateAsync(platform, source, packages, lockRequest, cancellationToken);
}
