using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>One process, and one task in it, changes a store at a time.</summary>
/// <remarks>
/// The lock is an open file handle, so the operating system ends it when its process dies, however it dies. On some network file systems it locks nothing;
/// then two changes at the same moment may lose one of them, but every file stays whole: all are moved into place.
/// </remarks>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream file;

    private StoreLock(FileStream file) => this.file = file;

    /// <summary>Waits until the store is this one's to change.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3102</c>: another process has it for too long; <c>IMG3101</c>: the disk refuses.</exception>
    public static async Task<StoreLock> AcquireAsync(StoreDisk disk, CancellationToken cancellationToken)
    {
        var file = await FileLock.OpenAsync(() => disk.Do(disk.Layout.LockFile, FileLock.TryOpen), disk.Options.Time, disk.Options.LockTimeout, cancellationToken);
        return file is null ? throw Busy(disk) : new StoreLock(file);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static ImagePublishException Busy(StoreDisk disk) => new(
        DiagnosticCodes.StoreBusy,
        $"Another process has kept '{disk.Layout.LockFile}' locked for more than {disk.Options.LockTimeout.TotalSeconds:0} seconds. Wait for it to end, or end it, and try again.");
}
