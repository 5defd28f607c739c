using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Explain;

/// <summary>What publishing an image would do. Nothing was written and nothing was uploaded.</summary>
internal sealed record ImagePlan(ImageRun Run, IReadOnlyList<PlannedDestinationResult> Destinations, ImageChanges? Changes)
{
    public PublishResult Result => Run.Result;

    public PlannedBase Base { get; } = PlannedBase.Create(Run);
}

/// <summary>The base of an image that is planned.</summary>
/// <param name="Before">The base that the image at the tag now says that it has; null where it does not say.</param>
internal sealed record PlannedBase(string Name, Digest? Digest, Digest? Before)
{
    /// <summary>Whether the base is another one than that of the image at the tag now.</summary>
    public bool HasDrifted => Before is not null && Digest is not null && Before != Digest;

    public static PlannedBase Create(ImageRun run)
    {
        var label = run.Current?.Image.Config.Config?.Labels?.GetValueOrDefault(ImageLabels.BaseDigest);
        var before = Oci.Digest.TryParse(label, out var digest) ? digest : null;
        return new PlannedBase(run.Publish.Base.Name, run.Publish.Base.Digest, before);
    }
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
