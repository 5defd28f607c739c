namespace ImagePublish.Layers;

/// <summary>One directory, file or link of a layer, with everything that its tar header says of it.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md">image-spec, Image Layer Filesystem Changeset</see>.
/// </remarks>
/// <param name="Path">The path in the image: separated by <c>/</c>, without a leading or trailing one. <see cref="LayerInput.Create"/>
/// checks it.</param>
internal sealed record LayerEntry(string Path, LayerEntryKind Kind)
{
    /// <summary>Permissions. Those of a link mean nothing, and are 0777 by custom.</summary>
    public UnixFileMode Mode { get; init; } = LayerEntryDefaults.ModeOf(Kind);

    public int Uid { get; init; }

    public int Gid { get; init; }

    /// <summary>The modification time, in whole seconds, not before 1970.</summary>
    public DateTimeOffset Modified { get; init; } = LayerEntryDefaults.DefaultModified;

    /// <summary>What a symbolic link says, or the path of the file that a hard link is another name of; null for everything else.</summary>
    public string? LinkTarget { get; init; }

    /// <summary>A file's content; null for everything else.</summary>
    public FileContent? Content { get; init; }

    /// <summary>Its path in the publish folder, separated by <c>/</c>; null when it does not come from there.</summary>
    public string? PublishPath { get; init; }

    /// <summary>The operating system package that it is from; it does not decide the layer's bytes.</summary>
    public string? Package { get; init; }

    /// <summary>Further attributes, written as PAX records: those that Windows layers need.</summary>
    public IReadOnlyDictionary<string, string>? PaxAttributes { get; init; }
}

/// <summary>What an entry of a layer is. Devices and whiteouts are never written.</summary>
internal enum LayerEntryKind
{
    Directory,

    File,

    SymbolicLink,

    /// <summary>Another name of a file that is before it in the same layer.</summary>
    HardLink,
}

/// <summary>The folder, owner and time that files from the build machine get in an image.</summary>
internal sealed record LayerEntryDefaults
{
    /// <summary>The one modification time that files have in images. A constant, so that the same file gives the same layer in every build,
    /// commit and service. Not 1970 to the second, which some programs take for "no time".</summary>
    public static readonly DateTimeOffset DefaultModified = DateTimeOffset.UnixEpoch.AddSeconds(1);

    /// <summary>The directory in the image, such as <c>app</c>, without a leading <c>/</c>; empty for the root.</summary>
    public string TargetFolder { get; init; } = "app";

    public int Uid { get; init; }

    public int Gid { get; init; }

    /// <summary>The modification time, in whole seconds; static web content gets one of its own, see <see cref="StaticContent"/>.</summary>
    public DateTimeOffset Modified { get; init; } = DefaultModified;

    /// <summary>How executable files of the project are detected; those of packages and of static web content by their content
    /// alone.</summary>
    public ExecutableRule Executables { get; init; } =
        OperatingSystem.IsWindows() ? ExecutableRule.Content : ExecutableRule.ContentOrFileMode;

    internal static UnixFileMode ModeOf(LayerEntryKind kind) =>
        kind switch
        {
            LayerEntryKind.Directory => Modes.Executable,
            LayerEntryKind.File or LayerEntryKind.HardLink => Modes.Plain,
            _ => Modes.Link,
        };
}
