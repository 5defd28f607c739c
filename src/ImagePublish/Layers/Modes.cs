namespace ImagePublish.Layers;

/// <summary>The only permissions that files from a build machine get: neither its umask nor set-user-id bits reach an image.</summary>
internal static class Modes
{
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode Executable = Plain | AnyExecute;

    public const UnixFileMode Link = Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public static UnixFileMode GetMode(FileInfo file, ExecutableRule rule) => GetMode(file, rule, out _);

    public static UnixFileMode GetMode(FileInfo file, ExecutableRule rule, out bool isByFileMode)
    {
        var kind = KindOf(file);
        isByFileMode = kind == FileKind.Other && rule == ExecutableRule.ContentOrFileMode && HasExecuteBit(file);
        return kind == FileKind.Program || isByFileMode ? Executable : Plain;
    }

    public static bool HasExecuteBit(FileInfo file) => !OperatingSystem.IsWindows() && (file.UnixFileMode & AnyExecute) != 0;

    private enum FileKind
    {
        Other,
        Program,
        Assembly,
    }

    private static FileKind KindOf(FileInfo file)
    {
        Span<byte> buffer = stackalloc byte[4];
        using var handle = DiskFiles.Open(file.FullName);
        ReadOnlySpan<byte> start = buffer[..DiskFiles.Read(handle, file.FullName, buffer, 0)];
        if (start.SequenceEqual("\u007fELF"u8) || start.StartsWith("#!"u8))
            return FileKind.Program;
        return start.StartsWith("MZ"u8) ? FileKind.Assembly : FileKind.Other;
    }
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
