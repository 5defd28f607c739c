using System.Buffers;

namespace ImagePublish.Oci;

/// <summary>The media types of images and their parts, in both families.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md">image-spec, Media Types</see> and its table of
/// compatible types.
/// </remarks>
internal static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>An uncompressed OCI layer; compressed ones add <c>+gzip</c> or <c>+zstd</c>.</summary>
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";

    public const string OciForeignLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";

    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";

    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

    public const string DockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar";

    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1";

    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+/;= \""
    );

    /// <summary>What a client that reads images asks for, in order of preference.</summary>
    public static IReadOnlyList<string> Manifests { get; } = [OciIndex, DockerIndex, OciManifest, DockerManifest];

    /// <summary>Whether it has only characters that a media type and its parameters may have
    /// (<see href="https://www.rfc-editor.org/rfc/rfc6838#section-4.2">RFC 6838</see>).</summary>
    /// <remarks>Artifacts have types of their own, some of them without a slash or empty: such a document is still read.</remarks>
    public static bool IsWellFormed(string mediaType) => mediaType.Length <= 255 && !mediaType.AsSpan().ContainsAnyExcept(Characters);

    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerIndex;

    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Whether it is a layer that is fetched from elsewhere and never pushed.</summary>
    public static bool IsForeign(string? mediaType) =>
        mediaType is not null
        && (
            mediaType.StartsWith(OciForeignLayer, StringComparison.Ordinal)
            || mediaType.StartsWith(DockerForeignLayer, StringComparison.Ordinal)
        );

    /// <summary>The family of an index, a manifest, a config or a layer.</summary>
    public static ImageFormat FormatOf(string? mediaType) =>
        mediaType?.StartsWith("application/vnd.docker.", StringComparison.Ordinal) == true ? ImageFormat.Docker : ImageFormat.Oci;

    public static string Index(ImageFormat format) => format == ImageFormat.Docker ? DockerIndex : OciIndex;

    public static string Manifest(ImageFormat format) => format == ImageFormat.Docker ? DockerManifest : OciManifest;

    public static string Config(ImageFormat format) => format == ImageFormat.Docker ? DockerConfig : OciConfig;

    public static string Layer(ImageFormat format, Compression compression, bool foreign = false) =>
        format switch
        {
            ImageFormat.Docker => (foreign ? DockerForeignLayer : DockerLayer) + Suffix(compression, '.'),
            _ => (foreign ? OciForeignLayer : OciLayer) + Suffix(compression, '+'),
        };

    public static Compression CompressionOf(string mediaType) =>
        mediaType.EndsWith("gzip", StringComparison.Ordinal) ? Compression.Gzip
        : mediaType.EndsWith("zstd", StringComparison.Ordinal) ? Compression.Zstd
        : Compression.None;

    private static string Suffix(Compression compression, char separator) =>
        compression switch
        {
            Compression.Gzip => separator + "gzip",
            Compression.Zstd => separator + "zstd",
            Compression.None => "",
            _ => throw new NotSupportedException($"Layers with {compression} have no media type."),
        };
}
