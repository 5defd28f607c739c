using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

/// <summary>What the registry itself reads of a manifest.</summary>
internal static class ManifestText
{
    /// <summary>Null when it is no JSON object.</summary>
    public static JsonObject? Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return JsonNode.Parse(bytes.Span, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? Text(JsonNode? node, string name) =>
        node is JsonObject && node[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>config and layers: blobs that have to be there.</summary>
    public static IReadOnlyList<JsonObject> Blobs(JsonObject manifest) =>
        [
            .. Descriptors(manifest["layers"])
                .Concat(manifest["config"] is JsonObject config ? [config] : [])
                .Where(d => !MediaTypes.IsNondistributable(Text(d, "mediaType"))),
        ];

    public static IReadOnlyList<JsonObject> Children(JsonObject manifest) => [.. Descriptors(manifest["manifests"])];

    public static bool HasUrls(JsonObject manifest) => Descriptors(manifest["layers"]).Any(d => d["urls"] is JsonArray { Count: > 0 });

    public static JsonObject ReferrerOf(StoredManifest manifest)
    {
        var content = Parse(manifest.Bytes)!;
        var descriptor = new JsonObject
        {
            ["mediaType"] = manifest.MediaType,
            ["digest"] = manifest.Digest,
            ["size"] = manifest.Bytes.Length,
        };
        if ((Text(content, "artifactType") ?? Text(content["config"], "mediaType")) is { } type)
            descriptor["artifactType"] = type;
        if (content["annotations"] is { } annotations)
            descriptor["annotations"] = annotations.DeepClone();
        return descriptor;
    }

    private static IEnumerable<JsonObject> Descriptors(JsonNode? list) => list is JsonArray array ? array.OfType<JsonObject>() : [];
}
