using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>An image for one platform: its config and its layers, the base's first.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md">image-spec, Image Manifest</see>.</remarks>
internal sealed record ImageManifest : OciManifest
{
    public ImageManifest(Descriptor config, IReadOnlyList<Descriptor> layers) => (Config, Layers) = (config, layers);

    private ImageManifest(JsonObjectReader json)
        : base(json)
    {
        Config = json.RequiredObject("config", Descriptor.Read);
        Layers = json.RequiredObjects("layers", Descriptor.Read);
        Unknown = json.Rest();
    }

    public Descriptor Config { get; init; }

    /// <summary>The layers, from the bottom up.</summary>
    public IReadOnlyList<Descriptor> Layers { get; init; }

    public static ImageManifest Read(JsonObjectReader json) => new(json);

    protected override void WriteContent(Utf8JsonWriter json)
    {
        json.WriteObject("config", Config);
        json.WriteObjects("layers", Layers);
    }
}
