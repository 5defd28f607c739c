using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>How an image is run and what it is made of. Keeps every field of a base that it does not know.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">image-spec, Image Configuration</see>.</remarks>
/// <param name="Architecture">The architecture in Go's words.</param>
/// <param name="Os">The operating system in Go's words.</param>
/// <param name="RootFs">The layers' uncompressed content.</param>
public sealed record ImageConfig(string Architecture, string Os, [property: JsonPropertyName("rootfs")] RootFs RootFs)
{
    /// <summary>When the image was made, RFC 3339; as text, since bases come with any precision.</summary>
    public string? Created { get; init; }

    /// <summary>Who made it.</summary>
    public string? Author { get; init; }

    /// <summary>The CPU's variant.</summary>
    public string? Variant { get; init; }

    /// <summary>The operating system's version.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Features of the operating system that the image needs.</summary>
    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>How a container of the image is run.</summary>
    public ExecutionConfig? Config { get; init; }

    /// <summary>How the layers came about; entries that are not empty layers match the layers one by one.</summary>
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    /// <summary>What the document says besides, kept as it is.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>What the image runs on.</summary>
    [JsonIgnore]
    public Platform Platform => new(Os, Architecture) { Variant = Variant, OsVersion = OsVersion, OsFeatures = OsFeatures };
}

/// <summary>The layers of an image by the digests of their uncompressed content.</summary>
/// <param name="Type">Always <c>layers</c>.</param>
/// <param name="DiffIds">The diff ids, from the bottom up.</param>
public sealed record RootFs(string Type, [property: JsonPropertyName("diff_ids")] IReadOnlyList<Digest> DiffIds);

/// <summary>How one layer, or a change of the config alone, came about.</summary>
public sealed record HistoryEntry
{
    /// <summary>When, RFC 3339.</summary>
    public string? Created { get; init; }

    /// <summary>By which command.</summary>
    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>By whom.</summary>
    public string? Author { get; init; }

    /// <summary>A remark.</summary>
    public string? Comment { get; init; }

    /// <summary>Whether it made no layer.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }

    /// <summary>What the document says besides, kept as it is.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
