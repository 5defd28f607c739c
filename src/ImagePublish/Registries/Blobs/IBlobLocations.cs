using ImagePublish.Oci;

namespace ImagePublish.Registries.Blobs;

/// <summary>What the builds on this machine know of each other's uploads. All of it is a hint: the registry decides.</summary>
internal interface IBlobLocations
{
    /// <summary>Finds the repositories that were seen to have a blob, of whatever registry, the latest first.</summary>
    Task<IReadOnlyList<Repository>> FindAsync(Digest blob, CancellationToken cancellationToken);

    /// <summary>Whether any blob was remembered in a repository: what was not is most likely new to it.</summary>
    Task<bool> HaveSeenAsync(Repository repository, CancellationToken cancellationToken);

    Task RememberAsync(Digest blob, Repository repository, CancellationToken cancellationToken);

    /// <summary>Waits until no other process uploads the blob to the registry: afterwards it can be mounted.</summary>
    /// <returns>The lock, to be disposed once the repository is remembered; null where it can't be acquired, and the blob is to be
    /// uploaded all the same.
    /// </returns>
    Task<IDisposable?> LockAsync(Digest blob, Registry registry, CancellationToken cancellationToken);
}
