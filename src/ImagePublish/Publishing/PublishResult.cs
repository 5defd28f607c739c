using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>A request that is pinned to its lock file, and the files that it publishes.</summary>
internal sealed record PinnedRequest(PublishRequest Request, PublishedFiles Files);

/// <summary>A publish, or a plan of one, with what the image was made of.</summary>
/// <param name="Contents">The files of the layers above the base, from the bottom up; empty for a layer of packages that was known.</param>
internal sealed record PublishRun(PinnedRequest Pinned, PublishResult Result, ResolvedImages Images, IReadOnlyList<LayerInput> Contents)
{
    public PublishRequest Request => Pinned.Request;

    /// <summary>The base, with the layers of other images that are on top of it.</summary>
    public BaseImage Base => Images.Base;
}

/// <summary>An image for one platform and where it is now.</summary>
internal sealed record PublishResult(Image Image, IReadOnlyList<DestinationResult> Deliveries)
{
    /// <summary>Whether everything was there already, so that nothing was uploaded and no tag was moved.</summary>
    public bool IsUnchanged { get; init; }

    /// <summary>What tags point at: an index where attestations are in one; otherwise the image.</summary>
    public MemoryBlobSource Root { get; init; } = Image.Manifest;

    /// <summary>What is attached to the image, and is confirmed to be.</summary>
    public IReadOnlyList<AttachmentInfo> Attached { get; init; } = [];

    /// <summary>The bytes, before compression, of the new layers that only other platforms can use.</summary>
    public long ForeignLength { get; init; }

    /// <summary>The bytes, before compression, of files that were left out because only other systems can load them.</summary>
    public long OmittedLength { get; init; }

    /// <summary>
    /// What each layer contains, from the bottom up: <see cref="BaseLayer"/>, the name of another image that it was taken from, or the name
    /// of one of our own.
    /// </summary>
    public required IReadOnlyList<string> LayerNames { get; init; }

    public const string BaseLayer = "base";

    /// <summary>
    /// The blobs with their transfers to one destination: the layers from the bottom up, the config last, and no foreign layers.
    /// </summary>
    public IReadOnlyList<ImageBlob> BlobsIn(DestinationResult delivery) => delivery.BlobsOf(Image, LayerNames);
}

/// <summary>An image for several platforms and where it is now.</summary>
/// <param name="IsUnchanged">Whether everything was there already, so that nothing was uploaded and no tag was moved.</param>
internal sealed record IndexResult(
    MemoryBlobSource Index,
    IReadOnlyList<Descriptor> Images,
    IReadOnlyList<DestinationResult> Deliveries,
    bool IsUnchanged
)
{
    public IReadOnlyList<JoinedImage> Joined { get; init; } = [];
}

/// <summary>An image that was published elsewhere and became part of an index.</summary>
internal sealed record JoinedImage(Image Image, IReadOnlyList<string> LayerNames)
{
    /// <summary>The image for the same platform that the tag pointed at before.</summary>
    internal CurrentImage? Before { get; init; }

    internal static JoinedImage Create(Image image)
    {
        var names = ImageComposer.LayerNames(image.Config);
        // Of an image that something else made, it is not known which layers are the base's.
        var unnamed = names.Any(name => name is not null) ? PublishResult.BaseLayer : "layer";
        return new JoinedImage(image, [.. names.Select(name => name ?? unnamed)]);
    }
}

/// <summary>What publishing an index would do, besides what its images take.</summary>
internal sealed record IndexPlan(IndexResult Result, IReadOnlyList<PlannedDestinationResult> Destinations);
