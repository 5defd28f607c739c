using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>How an image is run and what it is made of. Keeps every field of a base that it does not know.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">image-spec, Image Configuration</see>.</remarks>
internal sealed record ImageConfig(string? Architecture = null, string? Os = null, RootFs? RootFs = null)
{
    /// <summary>The architecture in Go's words; empty where the document does not say.</summary>
    public string Architecture { get; init; } = Architecture ?? "";

    /// <summary>The operating system in Go's words; empty where the document does not say.</summary>
    public string Os { get; init; } = Os ?? "";

    /// <summary>The layers' uncompressed content; none where the document does not say.</summary>
    [JsonPropertyName("rootfs")]
    public RootFs RootFs { get; init; } = RootFs ?? new RootFs();

    /// <summary>When the image was made, RFC 3339; as text, since bases come with any precision.</summary>
    public string? Created { get; init; }

    public string? Author { get; init; }

    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    public ExecutionConfig? Config { get; init; }

    /// <summary>How the layers came about; entries that are not empty layers match the layers one by one.</summary>
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }

    [JsonIgnore]
    public Platform Platform =>
        new(Os, Architecture)
        {
            Variant = Variant,
            OsVersion = OsVersion,
            OsFeatures = OsFeatures,
        };

    /// <summary>The history's entries that are no empty layers, one for each layer; null where the history does not match the
    /// layers.</summary>
    public IReadOnlyList<HistoryEntry>? FindLayerHistory()
    {
        var entries = (History ?? []).Where(entry => entry.EmptyLayer != true).ToList();
        return entries.Count == RootFs.DiffIds.Count ? entries : null;
    }

    /// <summary>The config of an entry of an index: where the config does not say what it runs on, the index is believed.</summary>
    public ImageConfig WithPlatform(Platform? platform) =>
        platform is null || (Os.Length > 0 && Architecture.Length > 0)
            ? this
            : this with
            {
                Os = platform.Os,
                Architecture = platform.Architecture,
                Variant = platform.Variant,
                OsVersion = platform.OsVersion,
                OsFeatures = platform.OsFeatures,
            };
}

/// <summary>The layers of an image by the digests of their uncompressed content.</summary>
/// <remarks>Go writes an empty list as <c>null</c>.</remarks>
internal sealed record RootFs(string? Type = null, IReadOnlyList<Digest>? DiffIds = null)
{
    public string Type { get; init; } = Type ?? "layers";

    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<Digest> DiffIds { get; init; } = DiffIds ?? [];
}

/// <summary>How one layer, or a change of the config alone, came about.</summary>
internal sealed record HistoryEntry
{
    public string? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
