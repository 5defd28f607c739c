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
/// <param name="Before">The base digest in the labels of the image at the tag now; null if it has none.</param>
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

/// <summary>How the planned image differs from the one at a tag now.</summary>
internal sealed record ImageChanges(string Against, Digest Digest, IReadOnlyList<LayerChange> Layers, IReadOnlyList<ConfigChange> Config);

/// <summary>How a layer differs.</summary>
/// <param name="Files">The files that differ, by path; none where the layer is only in one of them.</param>
internal sealed record LayerChange(string Name, ChangeKind Kind, IReadOnlyList<FileChange> Files);

/// <summary>How a file differs: its lengths in bytes, null where it is not there.</summary>
internal sealed record FileChange(string Path, ChangeKind Kind, long? Before, long? After);

/// <summary>A value that differs in two configs; null where it is not set.</summary>
internal sealed record ConfigChange(string Name, string? Before, string? After);

/// <summary>How a layer or file of the later image differs from that of the earlier one.</summary>
internal enum ChangeKind
{
    Same,
    Added,
    Removed,
    Changed,
}
