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
