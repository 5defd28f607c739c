using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>A lock on work that other processes on this machine would do as well: whoever acquires it looks first whether the work is done
/// by now.</summary>
/// <remarks>
/// It only saves work. Where nothing can be locked, or another process takes too long, the work is done twice, which is never wrong.
/// </remarks>
internal static class WorkLock
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <returns>The lock, to be disposed when the work is done; null where it could not be had, and the work is to be done all the
    /// same.</returns>
    public static async Task<FileLock?> AcquireAsync(StoreDisk disk, string work, string activity, CancellationToken cancellationToken)
    {
        var path = PathOf(disk, work);
        var request = new FileLockRequest(path, activity, LongestWait)
        {
            Options = FileLockOptions.Temporary | FileLockOptions.NamesOwner | disk.LockOptions,
            Time = disk.Options.Time,
            Log = disk.Options.Log,
        };
        try
        {
            var held = await FileLock.AcquireAsync(request, cancellationToken);
            if (held is null)
                request.Log?.Information(
                    $"Waited {FileLock.Describe(LongestWait)} for {FileLock.DescribeOwner(path)}, which {activity}; continuing without it."
                );
            return held;
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            return null;
        }
    }

    public static bool TryAcquire(StoreDisk disk, string work, out FileLock? held)
    {
        try
        {
            held = FileLock.TryAcquire(PathOf(disk, work), FileLockOptions.Temporary | FileLockOptions.NamesOwner | disk.LockOptions);
            return held is not null;
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            held = null;
            return true;
        }
    }

    private static string PathOf(StoreDisk disk, string work) =>
        Path.Combine(disk.Layout.LocksFolder, Digest.Compute(Encoding.UTF8.GetBytes(work)).Hex);
}
