using ImagePublish.Oci;
using ImagePublish.Registries.Blobs;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>What builds on this machine know of each other's uploads: records and locks beside the local store.</summary>
internal sealed class StoredBlobLocations(LayerCache cache) : IBlobLocations
{
    public Task<IReadOnlyList<Repository>> FindAsync(Digest blob, CancellationToken cancellationToken) =>
        cache.FindRepositoriesAsync(blob, cancellationToken);

    public Task<bool> HaveSeenAsync(Repository repository, CancellationToken cancellationToken) =>
        cache.IsKnownAsync(repository, cancellationToken);

    public Task RememberAsync(Digest blob, Repository repository, CancellationToken cancellationToken) =>
        cache.RememberRepositoryAsync(blob, repository, cancellationToken);

    public async Task<IDisposable?> LockAsync(Digest blob, Registry registry, CancellationToken cancellationToken) =>
        await cache.LockBlobAsync(blob, registry, cancellationToken);
}
