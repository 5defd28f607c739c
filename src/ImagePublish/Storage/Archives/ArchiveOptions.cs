namespace ImagePublish.Storage.Archives;

/// <summary>How archives are read.</summary>
internal sealed record ArchiveOptions
{
    /// <summary>Where a compressed archive is inflated to.</summary>
    public string TemporaryFolder { get; init; } = Path.GetTempPath();

    /// <summary>The most bytes that an archive may inflate to.</summary>
    public long MaxLength { get; init; } = 64L << 30;

    /// <summary>How many times larger than the archive its content may be, once it is larger than <see cref="FreeLength"/>.</summary>
    public int MaxRatio { get; init; } = 200;

    /// <summary>Up to so many bytes any ratio is allowed.</summary>
    public long FreeLength { get; init; } = 256L << 20;

    /// <summary>Opens an archive; tests count here what is read.</summary>
    public Func<string, Stream> OpenFile { get; init; } =
        path => new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read | FileShare.Delete,
            bufferSize: 1,
            FileOptions.Asynchronous
        );

    /// <summary>Creates the file that an archive is inflated to; tests fill the disk here.</summary>
    public Func<string, FileStream> CreateTemporary { get; init; } = CreateOwnFile;

    // Nobody else may read what a registry may keep secret, and a process that is killed leaves nothing behind: on Windows the system deletes the file, elsewhere its name is gone at once.
    private static FileStream CreateOwnFile(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }
}
