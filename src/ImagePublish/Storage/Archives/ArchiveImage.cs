using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>An image as an archive or layout has it: for one platform or several, with the names it goes by.</summary>
internal sealed record ArchiveImage(MemoryBlobSource Root, IReadOnlyList<Image> Platforms, IReadOnlyList<string> Names)
{
    /// <summary>Blobs of an index's entries that are not images, such as attestations.</summary>
    public IReadOnlyList<BlobSource> OtherBlobs { get; init; } = [];

    /// <summary>Manifests that are attached to the image or to a part of it. They are no part of it: archives have none of them.</summary>
    public IReadOnlyList<AttachedDocument> Attachments { get; init; } = [];

    /// <summary>The platform for tools that take only one from an archive, such as Docker's classic image store; the first one by
    /// default.</summary>
    public Platform? Preferred { get; init; }

    public static ArchiveImage Create(Image image, params IReadOnlyList<string> names) => new(image.Manifest, [image], names);

    /// <summary>Every blob of the image that can be had, documents first, each once.</summary>
    internal IEnumerable<BlobSource> Blobs =>
        new BlobSource[] { Root }
            .Concat(
                Platforms.SelectMany(image =>
                    image.Layers.Select(layer => layer.Source).OfType<BlobSource>().Prepend(image.ConfigBlob).Prepend(image.Manifest)
                )
            )
            .Concat(OtherBlobs)
            .DistinctBy(blob => blob.Descriptor.Digest);

    internal Image? Single =>
        Preferred is not null && Platforms.FirstOrDefault(image => image.Config.Platform.Satisfies(Preferred)) is { } preferred ? preferred
        : Platforms.Count > 0 ? Platforms[0]
        : null;
}

/// <summary>A manifest that a layout's list names as attached to another.</summary>
internal sealed record AttachedDocument(Digest Subject, MemoryBlobSource Manifest, IReadOnlyList<BlobSource> Blobs);
