using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>A place that an image is delivered to: first its layers, as they come; then the image; then its tags.</summary>
internal interface IDestination : IAsyncDisposable
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Begins to move a layer, while others are still built.</summary>
    /// <param name="layer">The layer.</param>
    void Begin(Layer layer);

    /// <summary>Whether the image's config and all layers that were begun were there already. A failure is left to <see cref="CompleteAsync"/>.</summary>
    Task<bool> HadAllBlobsAsync(Image image);

    /// <summary>Moves what is missing and, once all of it is confirmed, the manifest by its digest.</summary>
    /// <param name="image">The image.</param>
    /// <returns>What was moved so far.</returns>
    Task<TransferTotals> CompleteAsync(Image image);

    /// <summary>Puts an index there by its digest. All its images are there.</summary>
    /// <param name="index">The index.</param>
    /// <returns>When it is done.</returns>
    Task PutIndexAsync(MemoryBlobSource index);

    /// <summary>What points tags at the image or index.</summary>
    /// <param name="manifest">The image's manifest or index, which is there.</param>
    /// <param name="tags">The tags.</param>
    IReadOnlyList<FinalChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags);

    /// <summary>Where the image is once it is tagged.</summary>
    /// <param name="tags">Its tags.</param>
    /// <param name="totals">What was moved.</param>
    Task<Delivery> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals);
}
