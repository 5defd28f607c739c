namespace ImagePublish.Layers;

/// <summary>The only permissions that files from a build machine get: neither its umask nor set-user-id bits reach an image.</summary>
internal static class Modes
{
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode Executable = Plain | AnyExecute;

    public const UnixFileMode Link = Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public static UnixFileMode GetMode(FileInfo file, ExecutableRule rule) =>
        GetMode(KindOf(file.FullName), rule == ExecutableRule.ContentOrFileMode && HasExecuteBit(file));

    /// <param name="isExecutableByMode">Whether the file has an execute bit that somebody wanted.</param>
    public static UnixFileMode GetMode(FileKind kind, bool isExecutableByMode) =>
        kind == FileKind.Program || (kind == FileKind.Other && isExecutableByMode) ? Executable : Plain;

    public static bool HasExecuteBit(FileInfo file) => !OperatingSystem.IsWindows() && (file.UnixFileMode & AnyExecute) != 0;

    public static FileKind KindOf(string path)
    {
        Span<byte> buffer = stackalloc byte[4];
        using var handle = DiskFiles.Open(path);
        return KindOf(buffer[..DiskFiles.Read(handle, path, buffer, 0)]);
    }

    /// <summary>The kind of a file by its first bytes, of which four are enough.</summary>
    public static FileKind KindOf(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("\u007fELF"u8) || start.StartsWith("#!"u8))
            return FileKind.Program;
        return start.StartsWith("MZ"u8) ? FileKind.Assembly : FileKind.Other;
    }
}

/// <summary>What the first bytes of a file show.</summary>
internal enum FileKind
{
    Other,

    Program,

    Assembly,
}

/// <summary>How executable files (0755 in the image) are detected among the others (0644).</summary>
internal enum ExecutableRule
{
    /// <summary>By their first bytes: an ELF program or library, or a script that begins with <c>#!</c>. For file systems without execute
    /// bits, and for files of packages everywhere: NuGet gives an execute bit to every file that it unpacks on Linux, and none on
    /// Windows.</summary>
    Content,

    /// <summary>By their first bytes; other files but assemblies also by their own execute bits.</summary>
    ContentOrFileMode,
}
