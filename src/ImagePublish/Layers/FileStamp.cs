using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>Which file it is, how long, and when it last changed: as long as the stamp is the same, so is the content.</summary>
/// <param name="bytes">All of it, <see cref="Size"/> bytes.</param>
/// <param name="isLasting">Whether that holds in later builds, too, as <see cref="FileStampReader"/> decides.</param>
internal sealed class FileStamp(byte[] bytes, long length, bool isLasting)
{
    public const int Size = 36;

    public ReadOnlySpan<byte> Bytes => bytes;

    public long Length => length;

    public bool IsLasting => isLasting;

    public bool IsSame(FileStamp other) => Bytes.SequenceEqual(other.Bytes);
}

/// <summary>Reads the stamps of files, by one thread at a time.</summary>
/// <param name="now">The present or earlier.</param>
internal sealed class FileStampReader(DateTimeOffset now)
{
    /// <summary>The time that must have passed since the last change for a stamp to last. Two changes within one tick of the clock, a few
    /// milliseconds, have the same time; and what a program writes through a mapping into memory is noticed once in the half minute after
    /// which Linux writes it to the disk.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private readonly long rested = now.ToUnixTimeSeconds() - (long)Rest.TotalSeconds;
    private readonly FileStatus status = new();
    private readonly byte[] knownDevice = new byte[sizeof(long)];
    private bool? isKnownReliable;

    /// <returns>The stamp of a file, or of the one that a link leads to. It can only be lasting on Linux: no program can set the time of
    /// the last change, unlike that of the last modification.</returns>
    public FileStamp Read(string path)
    {
        var bytes = new byte[FileStamp.Size];
        if (!status.TryRead(path, followLinks: true))
            return ReadModified(path, bytes);
        status.Device.CopyTo(bytes);
        status.Inode.CopyTo(bytes.AsSpan(8));
        BitConverter.TryWriteBytes(bytes.AsSpan(16), status.Length);
        status.Changed.CopyTo(bytes.AsSpan(24));
        return new FileStamp(bytes, status.Length, status.ChangedSeconds < rested && IsReliable(path));
    }

    private static FileStamp ReadModified(string path, byte[] bytes)
    {
        var file = new FileInfo(path);
        var length = file.Exists ? file.Length : -1;
        BitConverter.TryWriteBytes(bytes.AsSpan(16), length);
        BitConverter.TryWriteBytes(bytes.AsSpan(24), file.LastWriteTimeUtc.Ticks);
        return new FileStamp(bytes, length, isLasting: false);
    }

    // The files of a folder are on one device.
    private bool IsReliable(string path)
    {
        if (isKnownReliable is not { } isReliable || !status.Device.SequenceEqual(knownDevice))
        {
            isKnownReliable = isReliable = FileStatus.IsOnReliableFileSystem(path);
            status.Device.CopyTo(knownDevice);
        }

        return isReliable;
    }
}
