using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>A place that an image is delivered to: first its layers, as they come; then the image; then its tags.</summary>
internal interface IDestination : IAsyncDisposable
{
    /// <summary>Begins to move a layer, while others are still built.</summary>
    /// <param name="layer">The layer.</param>
    void Begin(Layer layer);

    /// <summary>Moves what is missing and, once all of it is confirmed, the manifest by its digest.</summary>
    /// <param name="image">The image.</param>
    /// <returns>What was moved.</returns>
    Task<TransferTotals> CompleteAsync(Image image);

    /// <summary>Points tags at the image.</summary>
    /// <param name="image">The image, which is there.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="totals">What was moved.</param>
    /// <returns>Where the image is now.</returns>
    Task<Delivery> TagAsync(Image image, IReadOnlyList<Tag> tags, TransferTotals totals);
}
