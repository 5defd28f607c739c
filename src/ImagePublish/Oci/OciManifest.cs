using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>What an image's manifest and an index have in common.</summary>
internal abstract record OciManifest : IJsonObject
{
    protected OciManifest() { }

    protected OciManifest(JsonObjectReader json)
    {
        SchemaVersion = json.OptionalInt32("schemaVersion") ?? 2;
        MediaType = json.OptionalString("mediaType");
        ArtifactType = json.OptionalString("artifactType");
        Subject = json.OptionalObject("subject", Descriptor.Read);
        Annotations = json.OptionalMap("annotations");
    }

    public int SchemaVersion { get; init; } = 2;

    /// <summary>The document's own media type; null where it does not say.</summary>
    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public IReadOnlyList<JsonField> Unknown { get; init; } = [];

    public void WriteProperties(Utf8JsonWriter json)
    {
        json.WriteNumber("schemaVersion", SchemaVersion);
        json.WriteOptional("mediaType", MediaType);
        WriteContent(json);
        json.WriteOptional("artifactType", ArtifactType);
        json.WriteObject("subject", Subject);
        json.WriteMap("annotations", Annotations);
        json.WriteFields(Unknown);
    }

    protected abstract void WriteContent(Utf8JsonWriter json);
}
