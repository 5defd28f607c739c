using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>An image for several platforms: one manifest for each.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">image-spec, Image Index</see>.</remarks>
internal sealed record ImageIndex(IReadOnlyList<Descriptor>? Manifests)
{
    /// <summary>The manifests, each with its platform. Go writes an empty list as <c>null</c>.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; init; } = Manifests ?? [];

    [JsonPropertyOrder(-2)]
    public int SchemaVersion { get; init; } = 2;

    /// <summary>The index's own media type; null where the document does not say.</summary>
    [JsonPropertyOrder(-1)]
    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
