using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Destinations;

/// <summary>A place that an image is delivered to: first its layers, as they come; then the image; then its tags.</summary>
internal interface IDestination : IAsyncDisposable
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Begins to move a layer, while others are still built.</summary>
    void StartUpload(Layer layer);

    /// <summary>Whether the image's config and all layers that were begun were there already. A failure is left to <see cref="CompleteAsync"/>.</summary>
    Task<bool> HadAllBlobsAsync(Image image);

    /// <summary>Moves what is missing and, once all of it is confirmed, the manifest by its digest.</summary>
    Task<TransferTotals> CompleteAsync(Image image);

    /// <summary>Puts an index there by its digest. All its images are there.</summary>
    Task PutIndexAsync(MemoryBlobSource index);

    /// <summary>What points tags at the image or index.</summary>
    IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags);

    /// <summary>Where the image is once it is tagged.</summary>
    Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals);
}
