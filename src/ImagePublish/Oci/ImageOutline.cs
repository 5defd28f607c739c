using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>What is reported of an image that did not change.</summary>
/// <remarks>
/// Reading all of it takes a build that has nothing else to do longer than anything else: the serializer is compiled first.
/// </remarks>
internal sealed record ImageOutline(Platform Platform, Descriptor Config, IReadOnlyList<Descriptor> Layers, IReadOnlyList<Digest> DiffIds)
{
    /// <exception cref="JsonException">It is malformed.</exception>
    public static Descriptor ConfigOf(ReadOnlyMemory<byte> manifest)
    {
        using var document = JsonDocument.Parse(manifest);
        return ReadDescriptor(document.RootElement.GetProperty("config"));
    }

    /// <summary>Reads documents that were read as a whole before, and are known by their digests.</summary>
    /// <exception cref="JsonException">They are malformed.</exception>
    public static ImageOutline Read(ReadOnlyMemory<byte> manifest, ReadOnlyMemory<byte> config)
    {
        using var documents = JsonDocument.Parse(manifest);
        using var configs = JsonDocument.Parse(config);
        var layers = new List<Descriptor>();
        foreach (var layer in documents.RootElement.GetProperty("layers").EnumerateArray())
            layers.Add(ReadDescriptor(layer));
        var diffIds = new List<Digest>();
        foreach (var diffId in configs.RootElement.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray())
            diffIds.Add(Digest.Parse(diffId.GetString()!));
        return new ImageOutline(
            ReadPlatform(configs.RootElement),
            ReadDescriptor(documents.RootElement.GetProperty("config")),
            layers,
            diffIds
        );
    }

    private static Descriptor ReadDescriptor(JsonElement element) =>
        new(
            element.GetProperty("mediaType").GetString()!,
            Digest.Parse(element.GetProperty("digest").GetString()!),
            element.GetProperty("size").GetInt64()
        );

    private static Platform ReadPlatform(JsonElement config) =>
        new(config.GetProperty("os").GetString()!, config.GetProperty("architecture").GetString()!)
        {
            Variant = Optional(config, "variant"),
            OsVersion = Optional(config, "os.version"),
        };

    private static string? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
