using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;

namespace ImagePublish.Publishing.Reports;

/// <summary>An image that was published, and a way to look into it.</summary>
public sealed class ReportedPublish
{
    private readonly Func<CancellationToken, Task<ImageReport>> describe;

    internal ReportedPublish(PublishResult result, Func<CancellationToken, Task<ImageReport>> describe) => (Result, this.describe) = (result, describe);

    /// <summary>What was published.</summary>
    public PublishResult Result { get; }

    /// <summary>Reads the image's layers, and those of the one before that it does not have itself.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What there is to tell.</returns>
    public Task<ImageReport> DescribeAsync(CancellationToken cancellationToken) => describe(cancellationToken);
}

/// <summary>An image for one platform down to its files, and what is new about it.</summary>
/// <param name="Result">What was published.</param>
/// <param name="Base">What it is built on.</param>
/// <param name="Layers">Its layers, from the bottom up.</param>
/// <param name="Changes">How it differs from the image that the tag pointed at before; null where there was none.</param>
public sealed record ImageReport(PublishResult Result, ReportBase Base, IReadOnlyList<ReportLayer> Layers, ImageDifferences? Changes);

/// <summary>What an image is built on.</summary>
/// <param name="Name">What it is called; null where the image does not say.</param>
/// <param name="Digest">The digest of what the name points at; null for <c>scratch</c>, and where the image does not say.</param>
/// <param name="Layers">How many layers it has.</param>
/// <param name="Config">Its config; null where the image was published elsewhere.</param>
public sealed record ReportBase(string? Name, Digest? Digest, int Layers, ImageConfig? Config);

/// <summary>A layer down to its files.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Name">What it holds: our name for it, or what a base's history says.</param>
/// <param name="IsOfBase">Whether it is one of the base's.</param>
/// <param name="Fate">What became of its blob in the first place that the image was delivered to.</param>
/// <param name="Files">Its files.</param>
public sealed record ReportLayer(Layer Layer, string Name, bool IsOfBase, BlobFate Fate, IReadOnlyList<ReportFile> Files);

/// <summary>A file of a layer.</summary>
/// <param name="Path">Its place in the image.</param>
/// <param name="Size">Its length in bytes, not compressed.</param>
/// <param name="Package">The package that it is from, where that is known.</param>
public sealed record ReportFile(string Path, long Size, string? Package);

/// <summary>How a whole image, its base included, differs from an earlier one.</summary>
/// <param name="Name">What the earlier one is called.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its compressed size in bytes.</param>
/// <param name="Files">Files that came, went or changed, in order.</param>
/// <param name="Packages">Packages that came, went or changed their version, in order.</param>
/// <param name="Config">What the config says differently; the base's name and digest are among it.</param>
public sealed record ImageDifferences(string Name, Digest Digest, long Size, IReadOnlyList<FileChange> Files, IReadOnlyList<ConfigChange> Packages, IReadOnlyList<ConfigChange> Config);
