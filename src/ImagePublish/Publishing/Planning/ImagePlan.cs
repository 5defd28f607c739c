using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing.Reports;

namespace ImagePublish.Publishing.Planning;

/// <summary>What publishing an image would do. Nothing was written and nothing was uploaded.</summary>
internal sealed record ImagePlan(
    PublishResult Result,
    IReadOnlyList<PlannedDestinationResult> Places,
    ImageChanges? Changes,
    PlannedBase Base
)
{
    internal Func<CancellationToken, Task<ImageReport>>? Describe { get; init; }

    /// <summary>Reads the files that the image would have, and those of the one at the tag now.</summary>
    public Task<ImageReport> DescribeAsync(CancellationToken cancellationToken) => Describe!(cancellationToken);
}

/// <summary>What publishing an index would do, besides what its images take.</summary>
internal sealed record IndexPlan(IndexResult Result, IReadOnlyList<PlannedDestinationResult> Places);

/// <summary>The base of an image that is planned.</summary>
/// <param name="Before">The base that the image at the tag now says that it has; null where it does not say.</param>
internal sealed record PlannedBase(string Name, Digest? Digest, Digest? Before)
{
    /// <summary>Whether the base is another one than that of the image at the tag now.</summary>
    public bool HasDrifted => Before is not null && Digest is not null && Before != Digest;
}

/// <summary>What differs between the image that is planned and the one at a tag now.</summary>
internal sealed record ImageChanges(string Against, Digest Digest, IReadOnlyList<LayerChange> Layers, IReadOnlyList<ConfigChange> Config);

/// <summary>What differs in a layer.</summary>
/// <param name="Files">The files that differ, by path; none where the layer is only in one of them.</param>
internal sealed record LayerChange(string Name, ChangeKind Kind, IReadOnlyList<FileChange> Files);

/// <summary>What differs of a file.</summary>
internal sealed record FileChange(string Path, ChangeKind Kind, long? Before, long? After);

/// <summary>What two configs say differently.</summary>
internal sealed record ConfigChange(string Name, string? Before, string? After);

/// <summary>How two images differ in one thing.</summary>
internal enum ChangeKind
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
