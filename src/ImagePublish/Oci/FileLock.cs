namespace ImagePublish.Oci;

/// <summary>An open file that no other process, and no other task of this one, can open: the operating system lets go of it when its process ends, however it ends.</summary>
internal static class FileLock
{
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until a file is open for this one alone.</summary>
    /// <param name="tryOpen">Opens it; null while another has it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="limit">How long to wait at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The file, or null if another kept it for longer.</returns>
    public static async Task<FileStream?> OpenAsync(Func<FileStream?> tryOpen, TimeProvider time, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (tryOpen() is { } file)
                return file;
            if (time.GetElapsedTime(started) > limit)
                return null;
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Opens a file alone and creates it, with its folder, if need be.</summary>
    /// <param name="path">The file's full path.</param>
    /// <returns>The file, whose disposal lets the next one in; null while another has it.</returns>
    public static FileStream? TryOpen(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException exception) when (exception.HResult is SharingViolation or LockViolation or WouldBlockOnLinux or WouldBlockOnMac)
        {
            return null;
        }
    }
}
