namespace ImagePublish.Layers;

/// <summary>The only permissions that files from a build machine get: neither its umask nor set-user-id bits reach an image.</summary>
internal static class Modes
{
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode Executable = Plain | AnyExecute;

    public const UnixFileMode Link = Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public static UnixFileMode Of(FileInfo file, ExecutableRule rule) => IsExecutable(file, rule) ? Executable : Plain;

    private static bool IsExecutable(FileInfo file, ExecutableRule rule) => rule switch
    {
        ExecutableRule.FileMode => !OperatingSystem.IsWindows() && (file.UnixFileMode & AnyExecute) != 0,
        _ => file.Length > 0 && HasExecutableContent(file.FullName),
    };

    private static bool HasExecutableContent(string path)
    {
        Span<byte> start = stackalloc byte[4];
        using var handle = DiskFiles.Open(path);
        start = start[..DiskFiles.Read(handle, path, start, 0)];
        return start.SequenceEqual("\u007fELF"u8) || start.StartsWith("#!"u8);
    }
}
