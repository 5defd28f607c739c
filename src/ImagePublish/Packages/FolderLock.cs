using ImagePublish.Oci;

namespace ImagePublish.Packages;

/// <summary>One process at a time uses a folder. The lock is an open file, so the operating system ends it with its process.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <summary>Waits until the folder is this one's.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; disposing it lets the next one in.</returns>
    public static async Task<FolderLock> AcquireAsync(string folder, TimeProvider time, CancellationToken cancellationToken)
    {
        var file = await FileLock.OpenAsync(() => FileLock.TryOpen(Path.Combine(folder, "lock")), time, TimeSpan.MaxValue, cancellationToken);
        return new FolderLock(file!);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
