namespace ImagePublish.Oci;

/// <summary>An image for one platform, whole and immutable: documents as bytes, and layers that know where theirs are.</summary>
/// <param name="Manifest">The manifest's bytes, as a blob of the manifest's media type.</param>
/// <param name="ConfigBlob">The config's bytes.</param>
/// <param name="Config">The config.</param>
/// <param name="Layers">The layers, from the bottom up.</param>
public sealed record Image(MemoryBlobSource Manifest, MemoryBlobSource ConfigBlob, ImageConfig Config, IReadOnlyList<Layer> Layers)
{
    /// <summary>The image's digest: its manifest's.</summary>
    public Digest Digest => Manifest.Descriptor.Digest;

    /// <summary>The compressed size of the image in bytes: its config and all layers.</summary>
    public long Size => ConfigBlob.Descriptor.Size + Layers.Sum(layer => layer.Descriptor.Size);

    /// <summary>The image as an entry of an index.</summary>
    public Descriptor IndexEntry => Manifest.Descriptor with { Platform = Config.Platform };
}
