namespace ImagePublish.Layers;

/// <summary>What files from the build machine become in an image: their place, owner and time.</summary>
internal sealed record LayerEntryDefaults
{
    /// <summary>
    /// The one modification time that files have in images. A constant, so that the same file gives the same layer in every build, commit and service.
    /// Not 1970 to the second, which some programs take for "no time".
    /// </summary>
    public static readonly DateTimeOffset DefaultModified = DateTimeOffset.UnixEpoch.AddSeconds(1);

    /// <summary>The directory in the image, such as <c>app</c>, without a leading <c>/</c>; empty for the root.</summary>
    public string TargetFolder { get; init; } = "app";

    /// <summary>The numeric user id of the owner.</summary>
    public int Uid { get; init; }

    /// <summary>The numeric group id of the owner.</summary>
    public int Gid { get; init; }

    /// <summary>The modification time, in whole seconds; static web content gets one of its own, see <see cref="StaticContent"/>.</summary>
    public DateTimeOffset Modified { get; init; } = DefaultModified;

    /// <summary>How executable files of the project are detected; those of packages and of static web content by their content alone.</summary>
    public ExecutableRule Executables { get; init; } =
        OperatingSystem.IsWindows() ? ExecutableRule.Content : ExecutableRule.ContentOrFileMode;

    internal static UnixFileMode ModeOf(LayerEntryKind kind) =>
        kind switch
        {
            LayerEntryKind.Directory => Modes.Executable,
            LayerEntryKind.File => Modes.Plain,
            _ => Modes.Link,
        };
}
