namespace ImagePublish.Layers;

/// <summary>An entry found in a layer, whoever made it.</summary>
internal sealed record LayerEntryInfo(string Path, LayerEntryInfoKind Kind)
{
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueName = ".wh..wh..opq";

    public UnixFileMode Mode { get; init; }

    public int Uid { get; init; }

    public int Gid { get; init; }

    public DateTimeOffset Modified { get; init; }

    public long Length { get; init; }

    /// <summary>The beginning of the SHA-256 of a file's content, where it was read: enough to see that a file changed. 0 for an empty
    /// one.</summary>
    public ulong Fingerprint { get; init; }

    /// <summary>A file's hashes, where they were asked for.</summary>
    public FileHashes? Hashes { get; init; }

    /// <summary>The operating system package that a file of a layer of packages is from.</summary>
    public string? Package { get; init; }

    /// <summary>What a symbolic link says, or the path in the image that a hard link is another name of.</summary>
    public string? LinkTarget { get; init; }

    /// <summary>A file's content, good until the next entry is asked for; null when there is none.</summary>
    public Stream? Content { get; init; }

    /// <summary>Whether the entry removes something of the layers below instead of being there itself.</summary>
    /// <remarks>
    /// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts">image-spec, Whiteouts</see>.
    /// </remarks>
    public bool IsWhiteout => Name.StartsWith(WhiteoutPrefix, StringComparison.Ordinal);

    /// <summary>Whether it removes everything that the layers below have in its directory.</summary>
    public bool IsOpaqueWhiteout => Name.Equals(OpaqueName, StringComparison.Ordinal);

    /// <summary>The path that a whiteout removes: the directory itself, for an opaque one what is in it; null for everything
    /// else.</summary>
    public string? Removes =>
        IsOpaqueWhiteout ? LayerPath.ParentOf(Path)
        : IsWhiteout ? LayerPath.Join(LayerPath.ParentOf(Path), Name[WhiteoutPrefix.Length..])
        : null;

    private string Name => LayerPath.NameOf(Path);
}

internal enum LayerEntryInfoKind
{
    Directory,

    File,

    SymbolicLink,

    HardLink,

    Other,
}
