using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>What one document says of another content: its type, digest and size.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md">image-spec, Content Descriptors</see>.
/// </remarks>
internal sealed record Descriptor(string MediaType, Digest Digest, long Size) : IJsonObject
{
    /// <summary>Where a foreign layer can be fetched from. Never asked with credentials.</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public string? Data { get; init; }

    public string? ArtifactType { get; init; }

    public Platform? Platform { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public static Descriptor Read(JsonObjectReader json) =>
        new(json.RequiredString("mediaType"), json.RequiredDigest("digest"), json.RequiredInt64("size"))
        {
            Urls = json.OptionalStrings("urls"),
            Annotations = json.OptionalMap("annotations"),
            Data = json.OptionalString("data"),
            ArtifactType = json.OptionalString("artifactType"),
            Platform = json.OptionalObject("platform", Platform.Read),
            Unknown = json.Rest(),
        };

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteString("mediaType", MediaType);
        json.WriteString("digest", Digest.Value);
        json.WriteNumber("size", Size);
        json.WriteStrings("urls", Urls);
        json.WriteMap("annotations", Annotations);
        json.WriteOptional("data", Data);
        json.WriteOptional("artifactType", ArtifactType);
        json.WriteObject("platform", Platform);
        json.WriteFields(Unknown);
    }
}
