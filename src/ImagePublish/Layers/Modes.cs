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
