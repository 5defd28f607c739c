using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>One's turn at work that other processes on this machine would do as well: whoever has it looks first whether the work is done by now.</summary>
/// <remarks>
/// It only saves work. Where the file system locks nothing, where the disk refuses, or where another takes its turn for too long, the work is done twice, which is never wrong.
/// The operating system ends the turn of a process that dies.
/// </remarks>
public sealed class WorkTurn : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly FileStream? file;

    private WorkTurn(FileStream? file) => this.file = file;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (file is null)
            return;
        file.Dispose();
        StoreDisk.Delete(file.Name);
    }

    /// <summary>Waits for one's turn.</summary>
    internal static async Task<WorkTurn> TakeAsync(StoreDisk disk, string work, CancellationToken cancellationToken)
    {
        try
        {
            return new WorkTurn(await FileLock.OpenAsync(() => TryOpen(disk, work), disk.Options.Time, LongestWait, cancellationToken));
        }
        catch (ImagePublishException)
        {
            return Unlocked;
        }
    }

    /// <summary>Takes one's turn; null while another has it.</summary>
    internal static WorkTurn? TryTake(StoreDisk disk, string work)
    {
        try
        {
            return TryOpen(disk, work) is { } file ? new WorkTurn(file) : null;
        }
        catch (ImagePublishException)
        {
            return Unlocked;
        }
    }

    // Who can't lock goes on without.
    private static WorkTurn Unlocked => new(file: null);

    private static FileStream? TryOpen(StoreDisk disk, string work) =>
        disk.Do(Path.Combine(disk.Layout.TurnsFolder, Digest.Of(Encoding.UTF8.GetBytes(work)).Hex), FileLock.TryOpen);
}
