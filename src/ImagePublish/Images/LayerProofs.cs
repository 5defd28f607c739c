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
    public static IReadOnlyList<JsonField> Replace(IReadOnlyList<JsonField> unknown, IEnumerable<Layer> layers, CacheSecret? key) =>
        key is null ? [.. Without(unknown)] : [.. Without(unknown), new JsonField(Field, Write(layers, key))];

    /// <summary>A config's fields besides the specification's, with the proofs of an image instead of the base's.</summary>
    public static IReadOnlyList<JsonField> Keep(IReadOnlyList<JsonField> unknown, ImageConfig image) =>
        [.. Without(unknown), .. image.Unknown.Where(field => field.Name == Field)];

    private static IEnumerable<JsonField> Without(IReadOnlyList<JsonField> unknown) => unknown.Where(field => field.Name != Field);

    /// <summary>The proof that a config carries for a layer, or null.</summary>
    public static string? Find(ImageConfig config, Digest diffId) =>
        config.Unknown.FirstOrDefault(field => field.Name == Field) is { Value: { ValueKind: JsonValueKind.Object } proofs }
        && proofs.TryGetProperty(diffId.Value, out var proof)
        && proof.ValueKind == JsonValueKind.String
            ? proof.GetString()
            : null;

    private static JsonElement Write(IEnumerable<Layer> layers, CacheSecret key) =>
        JsonElement.Parse(
            OciJson.Write(json =>
            {
                json.WriteStartObject();
                foreach (var layer in layers.DistinctBy(layer => layer.DiffId))
                    json.WriteString(layer.DiffId.Value, key.Prove(layer.DiffId, layer.Descriptor));
                json.WriteEndObject();
            })
        );
}
