using ImagePublish.Destinations;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Explain;

/// <summary>An image that was published or planned, and the one that its tag pointed at before.</summary>
internal sealed record ImageRun(PublishRun Publish, CurrentImage? Current)
{
    public PublishResult Result => Publish.Result;
}

/// <summary>An image for one platform down to its files, and what is new about it.</summary>
/// <param name="Changes">How it differs from the image that the tag pointed at before; null where there was none.</param>
internal sealed record ImageReport(PublishResult Result, ReportBase Base, IReadOnlyList<ReportLayer> Layers, ImageDifferences? Changes);

/// <summary>What an image is built on.</summary>
/// <param name="Digest">The digest of what the name points at; null for <c>scratch</c>, and where the image does not say.</param>
internal sealed record ReportBase(string? Name, Digest? Digest, int Layers, ImageConfig? Config);

/// <summary>A layer down to its files.</summary>
internal sealed record ReportLayer(Layer Layer, string Name, bool IsOfBase, BlobTransfer Transfer, IReadOnlyList<ReportFile> Files);

/// <summary>A file of a layer.</summary>
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
