namespace ImagePublish.Layers;

/// <summary>One directory, file or link of a layer, with everything that its tar header says of it.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md">image-spec, Image Layer Filesystem Changeset</see>.</remarks>
/// <param name="Path">The place in the image: separated by <c>/</c>, without a leading or trailing one. <see cref="LayerInput.Create"/> checks it.</param>
internal sealed record LayerEntry(string Path, LayerEntryKind Kind)
{
    /// <summary>Permissions. Those of a link mean nothing, and are 0777 by custom.</summary>
    public UnixFileMode Mode { get; init; } = LayerEntryDefaults.ModeOf(Kind);

    /// <summary>The numeric user id of the owner.</summary>
    public int Uid { get; init; }

    /// <summary>The numeric group id of the owner.</summary>
    public int Gid { get; init; }

    /// <summary>The modification time, in whole seconds, not before 1970.</summary>
    public DateTimeOffset Modified { get; init; } = LayerEntryDefaults.DefaultModified;

    /// <summary>What a link points at; null for everything else.</summary>
    public string? LinkTarget { get; init; }

    /// <summary>A file's content; null for everything else.</summary>
    public FileContent? Content { get; init; }

    /// <summary>Where the entry lies in the publish folder, separated by <c>/</c>; null when it does not come from there.</summary>
    public string? PublishPath { get; init; }

    /// <summary>Further attributes, written as PAX records: those that Windows layers need.</summary>
    public IReadOnlyDictionary<string, string>? PaxAttributes { get; init; }
}
