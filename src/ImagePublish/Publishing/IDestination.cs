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

    /// <summary>Whether all layers that were begun were there already.</summary>
    Task<bool> HadAllLayersAsync();

    /// <summary>Moves what is missing and, once all of it is confirmed, the manifest by its digest.</summary>
    /// <param name="image">The image.</param>
    /// <returns>What was moved so far.</returns>
    Task<TransferTotals> CompleteAsync(Image image);

    /// <summary>Puts an index there by its digest. All its images are there.</summary>
    /// <param name="index">The index.</param>
    /// <returns>When it is done.</returns>
    Task PutIndexAsync(MemoryBlobSource index);

    /// <summary>Points tags at the image or index.</summary>
    /// <param name="manifest">The image's manifest or index, which is there.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="totals">What was moved.</param>
    /// <returns>Where the image is now.</returns>
    Task<Delivery> TagAsync(MemoryBlobSource manifest, IReadOnlyList<Tag> tags, TransferTotals totals);
}
