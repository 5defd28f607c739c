using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>An image for several platforms: one manifest for each.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">image-spec, Image Index</see>.</remarks>
internal sealed record ImageIndex : OciManifest
{
    public ImageIndex(IReadOnlyList<Descriptor> manifests) => Manifests = manifests;

    private ImageIndex(JsonObjectReader json)
        : base(json)
    {
        Manifests = json.RequiredObjects("manifests", Descriptor.Read);
        Unknown = json.Rest();
    }

    /// <summary>The manifests, each with its platform.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; init; }

    public static ImageIndex Read(JsonObjectReader json) => new(json);

    protected override void WriteContent(Utf8JsonWriter json) => json.WriteObjects("manifests", Manifests);
}
