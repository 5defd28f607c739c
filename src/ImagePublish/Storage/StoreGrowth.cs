using System.Globalization;
using ImagePublish.Common;

namespace ImagePublish.Storage;

/// <summary>How much was written into a store since it was last pruned. So not every blob must be read to know that the store is still
/// small enough.</summary>
/// <remarks>
/// A file of numbers, one a line: the time of the last prune, the bytes that it left, and the size of each blob that was written since. It
/// is only an estimate: two processes that write at the same time may lose a line, and a file that can't be read means that a prune is due.
/// </remarks>
internal sealed class StoreGrowth(string path, bool isShared)
{
    /// <summary>A store that is never above its limit is pruned once in this time all the same, for what killed processes left.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    /// <summary>The part of the limit that must be written before a store that is above it is pruned again, since images that have a name
    /// may need all of it.</summary>
    public const int LeastShare = 10;

    // No number is so large that a sum of them overflows; what is larger was damaged.
    private const long MostBytes = 1L << 50;

    public void Add(long bytes)
    {
        try
        {
            using var file = Open(FileMode.Append);
            file.Write(Line(bytes));
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            // The next prune counts again.
        }
    }

    public void Reset(DateTimeOffset now, long remainingBytes)
    {
        try
        {
            if (isShared)
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            else
                PrivateFiles.CreateFolder(Path.GetDirectoryName(path)!);
            using var file = Open(FileMode.Create);
            file.Write([.. Line(now.ToUnixTimeSeconds()), .. Line(remainingBytes)]);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            // The next publish prunes again.
        }
    }

    /// <summary>Whether the store may be larger than a limit, or was not pruned for a day.</summary>
    public bool IsPruneDue(DateTimeOffset now, long limit)
    {
        if (Read() is not [var last, var remaining, .. var added])
            return true;
        var elapsed = now - DateTimeOffset.UnixEpoch - TimeSpan.FromSeconds(last);
        var allowed = Math.Max(limit - remaining, limit / LeastShare);
        return elapsed < TimeSpan.Zero || elapsed >= LongestPause || added.Sum() > allowed;
    }

    private static byte[] Line(long number) =>
        System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number}\n"));

    private FileStream Open(FileMode mode)
    {
        var how = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        return isShared ? new FileStream(path, how) : PrivateFiles.Open(path, how);
    }

    private List<long> Read()
    {
        try
        {
            var numbers = new List<long>();
            foreach (var line in File.ReadLines(path))
            {
                if (!long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > MostBytes)
                    return [];
                numbers.Add(number);
            }

            return numbers;
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            return [];
        }
    }
}
