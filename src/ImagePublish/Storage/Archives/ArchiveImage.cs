using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>An image as an archive or layout has it: for one platform or several, with the names it goes by.</summary>
/// <param name="Root">Its manifest, or its index.</param>
/// <param name="Platforms">The images that the root names, or the one that it is.</param>
/// <param name="Names">Its names, such as <c>acme/shop:1.0</c>; none is allowed.</param>
public sealed record ArchiveImage(MemoryBlobSource Root, IReadOnlyList<Image> Platforms, IReadOnlyList<string> Names)
{
    /// <summary>Blobs of an index's entries that are not images, such as attestations.</summary>
    public IReadOnlyList<BlobSource> OtherBlobs { get; init; } = [];

    /// <summary>The platform for tools that take only one from an archive, such as Docker's classic image store; the first one by default.</summary>
    public Platform? Preferred { get; init; }

    /// <summary>An image for one platform.</summary>
    /// <param name="image">The image.</param>
    /// <param name="names">Its names.</param>
    /// <returns>The image as an archive takes it.</returns>
    public static ArchiveImage Of(Image image, params IReadOnlyList<string> names) => new(image.Manifest, [image], names);

    /// <summary>Every blob of the image that can be had, documents first, each once.</summary>
    internal IEnumerable<BlobSource> Blobs =>
        new BlobSource[] { Root }
            .Concat(Platforms.SelectMany(image => image.Layers.Select(layer => layer.Source).OfType<BlobSource>().Prepend(image.ConfigBlob).Prepend(image.Manifest)))
            .Concat(OtherBlobs)
            .DistinctBy(blob => blob.Descriptor.Digest);

    /// <summary>The image for tools that take only one.</summary>
    internal Image? Single => Preferred is not null && Platforms.FirstOrDefault(image => image.Config.Platform.Satisfies(Preferred)) is { } preferred ? preferred
        : Platforms.Count > 0 ? Platforms[0] : null;
}
