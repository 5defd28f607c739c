using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>An image for one platform and where it is now.</summary>
/// <param name="Image">The image.</param>
/// <param name="Deliveries">One for each place.</param>
public sealed record PublishResult(Image Image, IReadOnlyList<Delivery> Deliveries)
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
    /// <param name="delivery">One of <see cref="Deliveries"/>.</param>
    /// <returns>The blobs; what several layers share is told once.</returns>
    public IReadOnlyList<ImageBlob> BlobsIn(Delivery delivery) => delivery.BlobsOf(Image, LayerNames);
}

/// <summary>An image for several platforms and where it is now.</summary>
/// <param name="Index">The index.</param>
/// <param name="Images">Its entries.</param>
/// <param name="Deliveries">One for each place.</param>
/// <param name="IsUnchanged">Whether everything was there already, so that nothing was moved and no tag either.</param>
public sealed record IndexResult(MemoryBlobSource Index, IReadOnlyList<Descriptor> Images, IReadOnlyList<Delivery> Deliveries, bool IsUnchanged)
{
    /// <summary>The images among them that were published elsewhere.</summary>
    public IReadOnlyList<JoinedImage> Joined { get; init; } = [];
}

/// <summary>An image that was published elsewhere and became part of an index.</summary>
/// <param name="Image">The image, whose layers are read from there.</param>
/// <param name="LayerNames">What its layers hold, as far as its history says it; else <c>layer</c>.</param>
public sealed record JoinedImage(Image Image, IReadOnlyList<string> LayerNames)
{
    /// <summary>The image for the same platform that the tag pointed at before, and what it is called.</summary>
    internal (string Name, Image Image)? Before { get; init; }

    internal static JoinedImage Of(Image image)
    {
        var names = ImageComposer.LayerNames(image.Config);
        return new JoinedImage(image, [.. names.Select(name => name ?? (names.Any(one => one is not null) ? PublishResult.BaseLayer : "layer"))]);
    }
}

/// <summary>An image in one place, and what it took to get it there.</summary>
public sealed record Delivery
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
    public IReadOnlyDictionary<Digest, BlobFate> Blobs { get; init; } = new Dictionary<Digest, BlobFate>();

    /// <summary>What became of an image's blobs here.</summary>
    /// <param name="image">The image.</param>
    /// <param name="layerNames">What its layers hold.</param>
    /// <returns>The layers from the bottom up, the config last.</returns>
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

        ImageBlob Blob(string name, Descriptor blob) => new(name, blob, Blobs.GetValueOrDefault(blob.Digest) ?? BlobFate.Reused);
    }

    /// <summary>Deliveries of what was there already.</summary>
    /// <param name="destinations">The places.</param>
    /// <param name="tags">The tags, which point at it.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <returns>One for each place.</returns>
    internal static IReadOnlyList<Delivery> Unchanged(IReadOnlyList<Repository> destinations, IReadOnlyList<Tag> tags, long size) =>
        [.. destinations.Select(repository => new Delivery { Repository = repository, Name = repository.ToString(), Tags = tags, Transfer = new TransferTotals(0, 0, size) })];
}

/// <summary>What became of an image's blobs on their way to one place, in compressed bytes.</summary>
/// <param name="UploadedBytes">Sent or written.</param>
/// <param name="MountedBytes">Taken over from another repository of the same registry.</param>
/// <param name="ReusedBytes">Already there.</param>
public readonly record struct TransferTotals(long UploadedBytes, long MountedBytes, long ReusedBytes)
{
    /// <summary>Adds two totals.</summary>
    /// <param name="left">The one.</param>
    /// <param name="right">The other.</param>
    /// <returns>Their sum.</returns>
    public static TransferTotals operator +(TransferTotals left, TransferTotals right) =>
        new(left.UploadedBytes + right.UploadedBytes, left.MountedBytes + right.MountedBytes, left.ReusedBytes + right.ReusedBytes);

    /// <summary>Adds two totals.</summary>
    /// <param name="left">The one.</param>
    /// <param name="right">The other.</param>
    /// <returns>Their sum.</returns>
    public static TransferTotals Add(TransferTotals left, TransferTotals right) => left + right;
}
