using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>An image for one platform: its config and its layers, the base's first.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md">image-spec, Image Manifest</see>.</remarks>
internal sealed record ImageManifest(Descriptor Config, IReadOnlyList<Descriptor>? Layers)
{
    /// <summary>The layers, from the bottom up. Go writes an empty list as <c>null</c>.</summary>
    public IReadOnlyList<Descriptor> Layers { get; init; } = Layers ?? [];

    [JsonPropertyOrder(-2)]
    public int SchemaVersion { get; init; } = 2;

    /// <summary>The manifest's own media type; null where the document does not say.</summary>
    [JsonPropertyOrder(-1)]
    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
