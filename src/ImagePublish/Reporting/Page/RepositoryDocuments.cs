using System.Text.Json.Serialization;

namespace ImagePublish.Reporting.Page;

/// <summary>A repository for its page. Texts that many images have are in <c>Strings</c>, and numbers stand for them.</summary>
internal sealed record RepositoryDocument(
    RepositoryHeadDocument Head,
    IReadOnlyList<string> Strings,
    BlobColumnsDocument Layers,
    IReadOnlyList<RepositoryImageDocument> Images,
    RepositoryFilesDocument? Files
);

/// <param name="Made">When it was read, RFC 3339.</param>
/// <param name="Detailed">Of how many images, the newest, attachments were looked for.</param>
internal sealed record RepositoryHeadDocument(
    string Name,
    bool Registry,
    string App,
    int TagCount,
    int TagsRead,
    string? Filter,
    string Made,
    int Detailed,
    bool Drift,
    IReadOnlyList<string> Gone,
    IReadOnlyList<UnreadDocument> Unread
);

internal sealed record UnreadDocument(string Tag, string Reason);

/// <summary>All layers, each once, as columns.</summary>
/// <param name="Names">What each was made by.</param>
internal sealed record BlobColumnsDocument(IReadOnlyList<string> Digests, IReadOnlyList<long> Sizes, IReadOnlyList<int> Names);

internal sealed record RepositoryImageDocument(
    string Digest,
    IReadOnlyList<string> Tags,
    string? Created,
    long Size,
    IReadOnlyList<RepositoryPlatformDocument> Platforms
)
{
    /// <summary>What it is where it is no image.</summary>
    public int? Artifact { get; init; }

    public IReadOnlyList<int> Signs { get; init; } = [];

    /// <summary>What is attached; null where nobody looked.</summary>
    public IReadOnlyList<AttachedDocument>? Attached { get; init; }

    public DriftDocument? Drift { get; init; }
}

/// <param name="BaseLayers">How many layers are of the base; 0 where that is not known.</param>
/// <param name="Config">The size of the config, which is uploaded with the layers.</param>
/// <param name="Layers">Its layers, from the bottom up, as positions in the columns.</param>
/// <param name="Settings">Names and values in turn.</param>
internal sealed record RepositoryPlatformDocument(
    int Platform,
    string Digest,
    string ConfigDigest,
    long Config,
    int BaseLayers,
    IReadOnlyList<int> Layers,
    IReadOnlyList<int> Settings
)
{
    public BaseNameDocument? Base { get; init; }
}

internal sealed record BaseNameDocument(int Name, string? Digest);

internal sealed record AttachedDocument(IReadOnlyList<string> Names, string Digest, string Subject);

/// <summary>What <c>CheckImages</c> says of an image.</summary>
internal sealed record DriftDocument(string State)
{
    public string? Digest { get; init; }

    public string? Runtime { get; init; }

    public string? CurrentRuntime { get; init; }

    public string? CurrentCreated { get; init; }

    public string? EndOfLife { get; init; }

    public IReadOnlyList<PackageDocument>? Packages { get; init; }

    public string? Reason { get; init; }
}

internal sealed record PackageDocument(string Name, string? Before, string? Now);

/// <summary>The files of layers, and which of them images have.</summary>
/// <param name="Newest">Of how many images, the newest, they were read.</param>
/// <param name="Most">Of how many they can be read.</param>
/// <param name="Paths">Each once: versions and platforms have much the same.</param>
internal sealed record RepositoryFilesDocument(
    int Newest,
    int Most,
    IReadOnlyList<string> Paths,
    IReadOnlyList<LayerFilesDocument> Layers,
    IReadOnlyList<VisibleFilesDocument> Images,
    int LeftOut
);

/// <param name="Layer">Its position in the columns of layers.</param>
/// <param name="Paths">As positions in the list of all.</param>
/// <param name="Contents">A number for each file: of two files of the same path, the same number means the same file.</param>
internal sealed record LayerFilesDocument(int Layer, IReadOnlyList<int> Paths, IReadOnlyList<long> Sizes, IReadOnlyList<int> Contents);

internal sealed record VisibleFilesDocument(string Digest, IReadOnlyList<IReadOnlyList<int>> Hidden);

[JsonSerializable(typeof(RepositoryDocument))]
internal sealed partial class RepositoryJsonContext : JsonSerializerContext;
