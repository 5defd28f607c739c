using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ImagePublish.Common;

/// <summary>Who owns files and folders.</summary>
[UnsupportedOSPlatform("windows")]
internal static class UnixOwnership
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Copies owner, group and mode. Where they can't be given away, the file stays its creator's alone.</summary>
    public static void Copy(string from, string to)
    {
        var (owner, group) = Read(from);
        var isGiven = Read(to) == (owner, group) || NativeMethods.ChangeOwner(to, owner, group) == 0;
        // Another group must not get the rights that were meant for the old one.
        File.SetUnixFileMode(to, isGiven ? File.GetUnixFileMode(from) : File.GetUnixFileMode(from) & Own);
    }

    /// <summary>The owner and the group of a file or folder; of a link its own. Only for small files: where the system can't be asked, the
    /// content is read too.</summary>
    public static (int Owner, int Group) Read(string path)
    {
        var status = new FileStatus();
        return status.TryRead(path, followLinks: false) ? (status.Owner, status.Group) : ReadFromTar(path);
    }

    // The framework gives the owner of a file only where it writes a tar. That is slow: the first time it takes tens of milliseconds.
    private static (int Owner, int Group) ReadFromTar(string path)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
            writer.WriteEntry(path, "file");
        archive.Position = 0;
        using var reader = new TarReader(archive);
        var entry = reader.GetNextEntry()!;
        return (entry.Uid, entry.Gid);
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "chown")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int owner, int group);
    }
}
