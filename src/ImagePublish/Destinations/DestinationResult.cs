using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>An image at one destination, and what was uploaded for it.</summary>
internal sealed record DestinationResult
{
    /// <summary>The registry's repository; null for the local store.</summary>
    public Repository? Repository { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<Tag> Tags { get; init; }

    public required TransferTotals Transfer { get; init; }

    /// <summary>What became of each blob; one that is not listed was there already.</summary>
    public IReadOnlyDictionary<Digest, BlobTransfer> Blobs { get; init; } = new Dictionary<Digest, BlobTransfer>();

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

/// <summary>What would happen at one destination.</summary>
internal sealed record PlannedDestinationResult(DestinationResult Delivery, IReadOnlyList<ImageBlob> Blobs, IReadOnlyList<PlannedTag> Tags);

/// <summary>What would become of a tag.</summary>
internal sealed record PlannedTag(Tag Tag, Digest? Before, Digest After)
{
    public bool Moves => Before != After;
}
