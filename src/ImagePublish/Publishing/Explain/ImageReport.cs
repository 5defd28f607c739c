using ImagePublish.Destinations;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Explain;

/// <summary>An image that was published or planned, and the one that its tag pointed at before.</summary>
internal sealed record ImageRun(PublishRun Publish, CurrentImage? Current)
{
    public PublishResult Result => Publish.Result;
}

/// <summary>An image for one platform with its files.</summary>
/// <param name="Changes">How it differs from the image that the tag pointed at before; null if there was none.</param>
internal sealed record ImageReport(PublishResult Result, ReportBase Base, IReadOnlyList<ReportLayer> Layers, ImageDifferences? Changes);

/// <summary>What an image is built on.</summary>
/// <param name="Digest">The digest that the name pointed at; null for <c>scratch</c>, and where it is not known.</param>
internal sealed record ReportBase(string? Name, Digest? Digest, int Layers, ImageConfig? Config);

internal sealed record ReportLayer(Layer Layer, string Name, bool IsOfBase, BlobTransfer Transfer, IReadOnlyList<ReportFile> Files)
{
    /// <summary>Whether it was taken whole from the image that it is named after.</summary>
    public bool IsTaken { get; init; }
}

internal sealed record ReportFile(string Path, long Size, string? Package);

/// <summary>How a whole image, its base included, differs from an earlier one.</summary>
internal sealed record ImageDifferences(
    string Name,
    Digest Digest,
    long Size,
    IReadOnlyList<FileChange> Files,
    IReadOnlyList<ConfigChange> Packages,
    IReadOnlyList<ConfigChange> Config
);
