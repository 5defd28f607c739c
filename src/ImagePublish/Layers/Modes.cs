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
        // NuGet unpacks assemblies with an execute bit on Linux, which means nothing for them and would tell the build machines apart.
        ExecutableRule.FileMode => !OperatingSystem.IsWindows() && (file.UnixFileMode & AnyExecute) != 0 && !Starts(file, "MZ"u8),
        _ => Starts(file, "\u007fELF"u8) || Starts(file, "#!"u8),
    };

    private static bool Starts(FileInfo file, ReadOnlySpan<byte> magic)
    {
        if (file.Length < magic.Length)
            return false;
        Span<byte> start = stackalloc byte[magic.Length];
        using var handle = DiskFiles.Open(file.FullName);
        return DiskFiles.Read(handle, file.FullName, start, 0) == magic.Length && start.SequenceEqual(magic);
    }
}
