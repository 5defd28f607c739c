using System.Buffers;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>The proofs that an image's config carries: one for each layer that this product made, under the layer's diff id.</summary>
/// <remarks>
/// A field of the config's own, as BuildKit's inline cache has one: both families of formats have a config, and all readers pass over what
/// they do not know.
/// </remarks>
internal static class LayerProofs
{
    public const string Field = "io.imagepublish.layer-proofs";

    /// <summary>A config's fields besides the specification's, with these layers' proofs instead of the base's.</summary>
    public static IDictionary<string, JsonElement>? Replace(
        IDictionary<string, JsonElement>? unknown,
        IEnumerable<Layer> layers,
        CacheSecret? key
    )
    {
        var fields = Without(unknown);
        if (key is not null)
            fields.Add(Field, Write(layers, key));
        return fields.Count == 0 ? null : fields;
    }

    /// <summary>A config's fields besides the specification's, with the proofs of an image instead of the base's.</summary>
    public static IDictionary<string, JsonElement>? Keep(IDictionary<string, JsonElement>? unknown, ImageConfig image)
    {
        var fields = Without(unknown);
        if (image.Unknown is not null && image.Unknown.TryGetValue(Field, out var proofs))
            fields.Add(Field, proofs);
        return fields.Count == 0 ? null : fields;
    }

    private static Dictionary<string, JsonElement> Without(IDictionary<string, JsonElement>? unknown) =>
        (unknown ?? new Dictionary<string, JsonElement>()).Where(field => field.Key != Field).ToDictionary();

    /// <summary>The proof that a config carries for a layer, or null.</summary>
    public static string? Find(ImageConfig config, Digest diffId) =>
        config.Unknown is not null
        && config.Unknown.TryGetValue(Field, out var proofs)
        && proofs.ValueKind == JsonValueKind.Object
        && proofs.TryGetProperty(diffId.Value, out var proof)
        && proof.ValueKind == JsonValueKind.String
            ? proof.GetString()
            : null;

    private static JsonElement Write(IEnumerable<Layer> layers, CacheSecret key)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var layer in layers.DistinctBy(layer => layer.DiffId))
                writer.WriteString(layer.DiffId.Value, key.Prove(layer.DiffId, layer.Descriptor));
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(json.WrittenMemory);
        return document.RootElement.Clone();
    }
}
