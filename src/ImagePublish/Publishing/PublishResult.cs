using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>An image for one platform and where it is now.</summary>
internal sealed record PublishResult(Image Image, IReadOnlyList<DestinationResult> Deliveries)
{
    /// <summary>Whether everything was there already, so that nothing was moved and no tag either.</summary>
    public bool IsUnchanged { get; init; }

    /// <summary>How much of the new layers only other systems can use, in bytes before compression.</summary>
    public long ForeignLength { get; init; }

    /// <summary>What each layer holds, from the bottom up: <see cref="BaseLayer"/>, or the name of one of our own.</summary>
    public required IReadOnlyList<string> LayerNames { get; init; }

    /// <summary>The name of a layer of the base.</summary>
    public const string BaseLayer = "base";

    /// <summary>What became of each blob in one place: the layers from the bottom up, the config last. A foreign layer is never moved.</summary>
    public IReadOnlyList<ImageBlob> BlobsIn(DestinationResult delivery) => delivery.BlobsOf(Image, LayerNames);
}

/// <summary>An image for several platforms and where it is now.</summary>
/// <param name="IsUnchanged">Whether everything was there already, so that nothing was moved and no tag either.</param>
internal sealed record IndexResult(
    MemoryBlobSource Index,
    IReadOnlyList<Descriptor> Images,
    IReadOnlyList<DestinationResult> Deliveries,
    bool IsUnchanged
)
{
    /// <summary>The images among them that were published elsewhere.</summary>
    public IReadOnlyList<JoinedImage> Joined { get; init; } = [];
}

/// <summary>An image that was published elsewhere and became part of an index.</summary>
internal sealed record JoinedImage(Image Image, IReadOnlyList<string> LayerNames)
{
    /// <summary>The image for the same platform that the tag pointed at before, and what it is called.</summary>
    internal (string Name, Image Image)? Before { get; init; }

    internal static JoinedImage Create(Image image)
    {
        var names = ImageComposer.LayerNames(image.Config);
        return new JoinedImage(
            image,
            [.. names.Select(name => name ?? (names.Any(one => one is not null) ? PublishResult.BaseLayer : "layer"))]
        );
    }
}

/// <summary>An image in one place, and what it took to get it there.</summary>
internal sealed record DestinationResult
{
    /// <summary>The registry's repository; null for the local store.</summary>
    public Repository? Repository { get; init; }

    /// <summary>The repository's name as people write it.</summary>
    public required string Name { get; init; }

    /// <summary>The tags that point at the image now.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>What was moved.</summary>
    public required TransferTotals Transfer { get; init; }

    /// <summary>What became of each blob; one that is not listed was there already.</summary>
    public IReadOnlyDictionary<Digest, BlobTransfer> Blobs { get; init; } = new Dictionary<Digest, BlobTransfer>();

    /// <summary>What became of an image's blobs here.</summary>
    internal IReadOnlyList<ImageBlob> BlobsOf(Image image, IReadOnlyList<string> layerNames)
    {
        var seen = new HashSet<Digest>();
        var blobs = new List<ImageBlob>();
        for (var at = 0; at < image.Layers.Count; at++)
        {
            if (image.Layers[at] is { Source: not null } layer && seen.Add(layer.Descriptor.Digest))
                blobs.Add(Blob(layerNames[at], layer.Descriptor));
        }

        blobs.Add(Blob("config", image.ConfigBlob.Descriptor));
        return blobs;

        ImageBlob Blob(string name, Descriptor blob) => new(name, blob, Blobs.GetValueOrDefault(blob.Digest) ?? BlobTransfer.Reused);
    }

    /// <summary>Deliveries of what was there already.</summary>
    internal static IReadOnlyList<DestinationResult> Unchanged(
        IReadOnlyList<Repository> destinations,
        IReadOnlyList<Tag> tags,
        long size
    ) =>
        [
            .. destinations.Select(repository => new DestinationResult
            {
                Repository = repository,
                Name = repository.ToString(),
                Tags = tags,
                Transfer = new TransferTotals(0, 0, size),
            }),
        ];
}

/// <summary>What became of an image's blobs on their way to one place, in compressed bytes.</summary>
internal readonly record struct TransferTotals(long UploadedBytes, long MountedBytes, long ReusedBytes)
{
    /// <summary>Adds two totals.</summary>
    public static TransferTotals operator +(TransferTotals left, TransferTotals right) =>
        new(left.UploadedBytes + right.UploadedBytes, left.MountedBytes + right.MountedBytes, left.ReusedBytes + right.ReusedBytes);

    /// <summary>Adds two totals.</summary>
    public static TransferTotals Add(TransferTotals left, TransferTotals right) => left + right;
}
