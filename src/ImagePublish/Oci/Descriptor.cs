using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>What one document says of another content: its type, digest and size.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md">image-spec, Content Descriptors</see>.
/// </remarks>
internal sealed record Descriptor(string MediaType, Digest Digest, long Size)
{
    /// <summary>Where a foreign layer can be fetched from. Never asked with credentials.</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public string? Data { get; init; }

    public string? ArtifactType { get; init; }

    public Platform? Platform { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
