using System.Runtime.InteropServices;

namespace ImagePublish.Common;

/// <summary>What Linux reports about a file or folder, read in one call. An instance can be read into again, by one thread at a
/// time.</summary>
/// <remarks><see href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2)</see>: unlike that of stat, its structure is the same
/// on all machines.</remarks>
internal sealed class FileStatus
{
    private const int CurrentFolder = -100;
    private const int OfLinksThemselves = 0x100;
    private const uint BasicFields = 0x7FF;

    private const int OwnerOffset = 20;
    private const int GroupOffset = 24;
    private const int InodeOffset = 32;
    private const int LengthOffset = 40;
    private const int ChangedOffset = 96;
    private const int DeviceOffset = 136;

    // https://man7.org/linux/man-pages/man2/statfs.2.html: the type comes first, and has 64 bits on 64-bit machines.
    private const long Ext4 = 0xEF53;
    private const long Xfs = 0x58465342;
    private const long Btrfs = 0x9123683E;
    private const long Overlay = 0x794C7630;

    private readonly byte[] status = new byte[256];

    public int Owner => BitConverter.ToInt32(status, OwnerOffset);

    public int Group => BitConverter.ToInt32(status, GroupOffset);

    public long Length => BitConverter.ToInt64(status, LengthOffset);

    public ReadOnlySpan<byte> Device => status.AsSpan(DeviceOffset, sizeof(long));

    public ReadOnlySpan<byte> Inode => status.AsSpan(InodeOffset, sizeof(long));

    /// <summary>When content or attributes last changed, in seconds since 1970, and nanoseconds. Unlike the modification time, no program
    /// can set it.</summary>
    public ReadOnlySpan<byte> Changed => status.AsSpan(ChangedOffset, sizeof(long) + sizeof(int));

    /// <summary>The same, in whole seconds.</summary>
    public long ChangedSeconds => BitConverter.ToInt64(status, ChangedOffset);

    /// <param name="followLinks">Whether the target of a link counts, or the link itself.</param>
    /// <returns>False if there is no such file, or the system can't be asked.</returns>
    public bool TryRead(string path, bool followLinks)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return NativeMethods.GetStatus(CurrentFolder, path, followLinks ? 0 : OfLinksThemselves, BasicFields, status) == 0
                && (BitConverter.ToUInt32(status) & BasicFields) == BasicFields;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Whether a file is on one of the file systems of Linux whose change times move with every change. Those of a network or
    /// another system may not, nor do those in memory.</summary>
    public static bool IsOnReliableFileSystem(string path)
    {
        var status = new byte[256];
        return OperatingSystem.IsLinux()
            && NativeMethods.GetFileSystemStatus(path, status) == 0
            && BitConverter.ToInt64(status) is Ext4 or Xfs or Btrfs or Overlay;
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "statx")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int GetStatus(
            int folder,
            [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
            int flags,
            uint mask,
            [Out] byte[] status
        );

        [DllImport("libc", EntryPoint = "statfs")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int GetFileSystemStatus([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [Out] byte[] status);
    }
}
