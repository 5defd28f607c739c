using ImagePublish.Oci;
using ImagePublish.Publishing.Reports;

namespace ImagePublish.Publishing.Planning;

/// <summary>What publishing an image would do. Nothing was written and nothing was uploaded.</summary>
/// <param name="Result">What the publish would report.</param>
/// <param name="Places">One for each place that the image goes to.</param>
/// <param name="Changes">What changed against the image that is there now; null where there is none.</param>
/// <param name="Base">The base image.</param>
public sealed record ImagePlan(PublishResult Result, IReadOnlyList<PlannedPlace> Places, ImageChanges? Changes, PlannedBase Base)
{
    internal Func<CancellationToken, Task<ImageReport>>? Describe { get; init; }

    /// <summary>Reads the files that the image would have, and those of the one at the tag now.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What a report tells.</returns>
    public Task<ImageReport> DescribeAsync(CancellationToken cancellationToken) => Describe!(cancellationToken);
}

/// <summary>What publishing an index would do, besides what its images take.</summary>
/// <param name="Result">What the publish would report.</param>
/// <param name="Places">One for each place that the index goes to.</param>
public sealed record IndexPlan(IndexResult Result, IReadOnlyList<PlannedPlace> Places);

/// <summary>What would happen in one place.</summary>
/// <param name="Delivery">What the publish would report of it.</param>
/// <param name="Blobs">What would become of each blob, from the bottom layer up, the config last.</param>
/// <param name="Tags">The tags that would move, or not.</param>
public sealed record PlannedPlace(Delivery Delivery, IReadOnlyList<ImageBlob> Blobs, IReadOnlyList<PlannedTag> Tags);

/// <summary>What would become of a tag.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Before">What it points at now; null for a new tag.</param>
/// <param name="After">What it would point at.</param>
public sealed record PlannedTag(Tag Tag, Digest? Before, Digest After)
{
    /// <summary>Whether it would move, or be new.</summary>
    public bool Moves => Before != After;
}

/// <summary>The base of an image that is planned.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Digest">What that name points at now; null for <c>scratch</c>.</param>
/// <param name="Before">The base that the image at the tag now says that it has; null where it does not say.</param>
public sealed record PlannedBase(string Name, Digest? Digest, Digest? Before)
{
    /// <summary>Whether the base is another one than that of the image at the tag now.</summary>
    public bool HasDrifted => Before is not null && Digest is not null && Before != Digest;
}

/// <summary>What differs between the image that is planned and the one at a tag now.</summary>
/// <param name="Against">The image at the tag, as people write it.</param>
/// <param name="Digest">Its digest, for the platform.</param>
/// <param name="Layers">The layers above the base, those that are the same too.</param>
/// <param name="Config">What the configs say differently.</param>
public sealed record ImageChanges(string Against, Digest Digest, IReadOnlyList<LayerChange> Layers, IReadOnlyList<ConfigChange> Config);

/// <summary>What differs in a layer.</summary>
/// <param name="Name">The layer's name.</param>
/// <param name="Kind">Whether it is there in both.</param>
/// <param name="Files">The files that differ, by path; none where the layer is only in one of them.</param>
public sealed record LayerChange(string Name, ChangeKind Kind, IReadOnlyList<FileChange> Files);

/// <summary>What differs of a file.</summary>
/// <param name="Path">Its path in the image.</param>
/// <param name="Kind">Whether it is there in both.</param>
/// <param name="Before">Its length in bytes in the image at the tag.</param>
/// <param name="After">Its length in bytes in the image that is planned.</param>
public sealed record FileChange(string Path, ChangeKind Kind, long? Before, long? After);

/// <summary>What two configs say differently.</summary>
/// <param name="Name">What it is about, such as <c>env PATH</c> or <c>user</c>.</param>
/// <param name="Before">What the image at the tag says; null for nothing.</param>
/// <param name="After">What the image that is planned says; null for nothing.</param>
public sealed record ConfigChange(string Name, string? Before, string? After);

/// <summary>How two images differ in one thing.</summary>
public enum ChangeKind
{
    /// <summary>They don't.</summary>
    Same,

    /// <summary>Only the image that is planned has it.</summary>
    Added,

    /// <summary>Only the image at the tag has it.</summary>
    Removed,

    /// <summary>Both have it, and it differs.</summary>
    Changed,
}
