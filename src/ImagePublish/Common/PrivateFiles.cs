using System.Runtime.InteropServices;

namespace ImagePublish.Common;

/// <summary>Files and folders that only the current user can use. On Windows a user's folders are the user's alone already, so nothing is
/// set there.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnFolder = OwnFile | UnixFileMode.UserExecute;
    private const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Others =
        OthersMayWrite | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public static int UserId => (int)NativeMethods.EffectiveUserId();

    /// <summary>Creates a folder that is the user's alone, and those above it. One that is there stays as it is.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Directory.Exists(path))
            return;
        // The framework gives the rights to the last folder only.
        if (Path.GetDirectoryName(path) is { } parent)
            CreateFolder(parent);
        Directory.CreateDirectory(path, OwnFolder);
    }

    public static FileStream Open(string path, FileStreamOptions options)
    {
        if (!OperatingSystem.IsWindows() && options.Mode != FileMode.Open)
            options.UnixCreateMode = OwnFile;
        return new FileStream(path, options);
    }

    /// <summary>Makes a folder the user's alone: creates it, or takes the rights on it from others.</summary>
    /// <param name="mayChange">Whether the rights on a folder that is there may be changed. If not, others may read it but not write to
    /// it.</param>
    /// <returns>Null, or why the folder is not the user's alone, to follow its name: <c>belongs to another user (1001)</c>.</returns>
    /// <exception cref="IOException">It can't be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be created.</exception>
    public static string? Claim(string folder, bool mayChange)
    {
        if (!Directory.Exists(folder))
        {
            // Folders above it are not ours: they get the rights that the user gives to all.
            if (Path.GetDirectoryName(folder) is { } parent)
                Directory.CreateDirectory(parent);
            CreateFolder(folder);
        }

        if (OperatingSystem.IsWindows())
            return null;
        var owner = UnixOwnership.Read(folder).Owner;
        // Whoever owns a link can let it lead elsewhere.
        if (IsTrusted(owner) && new DirectoryInfo(folder).LinkTarget is not null)
        {
            folder = Directory.ResolveLinkTarget(folder, returnFinalTarget: true)!.FullName;
            owner = UnixOwnership.Read(folder).Owner;
        }

        if (!IsTrusted(owner))
            return $"belongs to another user ({owner})";
        var mode = File.GetUnixFileMode(folder);
        if (mayChange && (mode & Others) != 0 && owner == UserId)
        {
            File.SetUnixFileMode(folder, mode & ~Others);
            // File systems without rights accept the change and ignore it.
            mode = File.GetUnixFileMode(folder);
        }

        return (mode & OthersMayWrite) == 0 ? null : "can be written to by other users";
    }

    /// <summary>Writes a small file that is the user's alone, over one that is there.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = Open(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                BufferSize = 0,
            }
        );
        file.Write(content);
    }

    /// <summary>Whether a file is one that only the current user can have written and read.</summary>
    public static bool IsPrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            return true;
        var file = new FileInfo(path);
        return file.Exists && file.LinkTarget is null && (file.UnixFileMode & Others) == 0 && UnixOwnership.Read(path).Owner == UserId;
    }

    /// <summary>Whether a folder is the current user's, and nobody else may look into it.</summary>
    public static bool IsPrivateFolder(string path) =>
        OperatingSystem.IsWindows()
        || (
            new DirectoryInfo(path).LinkTarget is null
            && UnixOwnership.Read(path).Owner == UserId
            && (File.GetUnixFileMode(path) & Others) == 0
        );

    private static bool IsTrusted(int owner) => owner == 0 || owner == UserId;

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "geteuid")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern uint EffectiveUserId();
    }
}
