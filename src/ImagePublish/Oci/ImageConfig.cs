using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>How an image is run and what it is made of. Keeps every field of a base that it does not know.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">image-spec, Image Configuration</see>.</remarks>
internal sealed record ImageConfig(string? Architecture = null, string? Os = null, RootFs? RootFs = null) : IJsonObject
{
    /// <summary>The architecture in Go's words; empty where the document does not say.</summary>
    public string Architecture { get; init; } = Architecture ?? "";

    /// <summary>The operating system in Go's words; empty where the document does not say.</summary>
    public string Os { get; init; } = Os ?? "";

    /// <summary>The layers' uncompressed content; none where the document does not say.</summary>
    public RootFs RootFs { get; init; } = RootFs ?? new RootFs();

    /// <summary>When the image was made, RFC 3339; as text, since bases come with any precision.</summary>
    public string? Created { get; init; }

    public string? Author { get; init; }

    public string? Variant { get; init; }

    public string? OsVersion { get; init; }

    public IReadOnlyList<string>? OsFeatures { get; init; }

    public ExecutionConfig? Config { get; init; }

    /// <summary>How the layers came about; entries that are not empty layers match the layers one by one.</summary>
    public IReadOnlyList<HistoryEntry>? History { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

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

    public static ImageConfig Read(JsonObjectReader json) =>
        new(json.OptionalString("architecture"), json.OptionalString("os"), json.OptionalObject("rootfs", RootFs.Read))
        {
            Created = json.OptionalString("created"),
            Author = json.OptionalString("author"),
            Variant = json.OptionalString("variant"),
            OsVersion = json.OptionalString("os.version"),
            OsFeatures = json.OptionalStrings("os.features"),
            Config = json.OptionalObject("config", ExecutionConfig.Read),
            History = json.OptionalObjects("history", HistoryEntry.Read),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteString("architecture", Architecture);
        json.WriteString("os", Os);
        json.WriteObject("rootfs", RootFs);
        json.WriteOptional("created", Created);
        json.WriteOptional("author", Author);
        json.WriteOptional("variant", Variant);
        json.WriteOptional("os.version", OsVersion);
        json.WriteStrings("os.features", OsFeatures);
        json.WriteObject("config", Config);
        if (History is not null)
            json.WriteObjects("history", History);
        json.WriteFields(Unknown);
    }
}

/// <summary>The layers of an image by the digests of their uncompressed content.</summary>
/// <remarks>Go writes an empty list as <c>null</c>.</remarks>
internal sealed record RootFs(string? Type = null, IReadOnlyList<Digest>? DiffIds = null) : IJsonObject
{
    public string Type { get; init; } = Type ?? "layers";

    public IReadOnlyList<Digest> DiffIds { get; init; } = DiffIds ?? [];

    public static RootFs Read(JsonObjectReader json) => new(json.OptionalString("type"), json.OptionalDigests("diff_ids"));

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteString("type", Type);
        json.WriteStartArray("diff_ids");
        foreach (var diffId in DiffIds)
            json.WriteStringValue(diffId.Value);
        json.WriteEndArray();
    }
}

/// <summary>How one layer, or a change of the config alone, came about.</summary>
internal sealed record HistoryEntry : IJsonObject
{
    public string? Created { get; init; }

    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    public bool? EmptyLayer { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public static HistoryEntry Read(JsonObjectReader json) =>
        new()
        {
            Created = json.OptionalString("created"),
            CreatedBy = json.OptionalString("created_by"),
            Author = json.OptionalString("author"),
            Comment = json.OptionalString("comment"),
            EmptyLayer = json.OptionalBoolean("empty_layer"),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteOptional("created", Created);
        json.WriteOptional("created_by", CreatedBy);
        json.WriteOptional("author", Author);
        json.WriteOptional("comment", Comment);
        if (EmptyLayer is { } isEmpty)
            json.WriteBoolean("empty_layer", isEmpty);
        json.WriteFields(Unknown);
    }
}
