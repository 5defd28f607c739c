namespace ImagePublish.Oci;

/// <summary>An image for one platform, whole and immutable: documents as bytes, and layers that know where theirs are.</summary>
internal sealed class Image(MemoryBlobSource manifest, MemoryBlobSource configBlob, ImageConfig config, IReadOnlyList<Layer> layers)
{
    /// <summary>The manifest's bytes, as a blob of the manifest's media type.</summary>
    public MemoryBlobSource Manifest => manifest;

    public MemoryBlobSource ConfigBlob => configBlob;

    public ImageConfig Config => config;

    public Platform Platform { get; } = config.Platform;

    public IReadOnlyList<Layer> Layers => layers;

    public Digest Digest => Manifest.Descriptor.Digest;

    /// <summary>The compressed size of the image in bytes: its config and all layers.</summary>
    public long Size => ConfigBlob.Descriptor.Size + Layers.Sum(layer => layer.Descriptor.Size);

    public Descriptor IndexEntry => Manifest.Descriptor with { Platform = Platform };
}

/// <summary>One layer of an image: what it is, what it contains, and where its bytes can be had.</summary>
/// <param name="Source">Where the blob's bytes can be had; null for a foreign layer, which is never moved.</param>
internal sealed record Layer(Descriptor Descriptor, Digest DiffId, BlobSource? Source)
{
    public bool IsNew { get; init; }
}
