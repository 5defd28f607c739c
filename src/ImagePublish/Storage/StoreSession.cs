using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Storage;

/// <summary>A publish under way: what it finds or writes in the store is not pruned until it is disposed, or its process dies.</summary>
/// <remarks>
/// A blob becomes part of an image only at the end, when the image is named; until then only its last-used time protects it. The session is
/// an open, locked file whose own time says since when. It begins under the store's lock, so a prune either ended before or sees it.
/// </remarks>
internal sealed class StoreSession : IDisposable
{
    private readonly FileLock file;

    private StoreSession(FileLock file) => this.file = file;

    public void Dispose() => file.Dispose();

    /// <exception cref="ImagePublishException"><c>IMG3101</c>, <c>IMG3102</c>.</exception>
    internal static async Task<StoreSession> BeginAsync(StoreDisk disk, CancellationToken cancellationToken)
    {
        using var held = await disk.LockAsync(cancellationToken);
        var path = Path.Combine(disk.Layout.SessionsFolder, Guid.NewGuid().ToString("N"));
        var file = disk.Run(path, file => Lock(disk, file))!;
        disk.Touch(path);
        return new StoreSession(file);
    }

    /// <summary>Since when the oldest session runs; those of dead processes are swept. The caller holds the store's lock.</summary>
    internal static DateTimeOffset OldestStart(StoreDisk disk)
    {
        var oldest = DateTimeOffset.MaxValue;
        var folder = disk.Layout.SessionsFolder;
        foreach (var path in disk.Run(folder, _ => Directory.Exists(folder) ? Directory.GetFiles(folder) : []))
        {
            var started = new DateTimeOffset(disk.Run(path, File.GetLastWriteTimeUtc), TimeSpan.Zero);
            // The file of a process that ended without disposing of its session is deleted by locking and releasing it.
            using var ended = disk.Run(path, file => Lock(disk, file));
            if (ended is null && started < oldest)
                oldest = started;
        }

        return oldest;
    }

    private static FileLock? Lock(StoreDisk disk, string path) => FileLock.TryAcquire(path, FileLockOptions.Temporary | disk.LockOptions);
}
