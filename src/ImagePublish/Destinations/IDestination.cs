using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>A place that an image is delivered to: first its layers, as they come; then the image; then its tags.</summary>
internal interface IDestination : IAsyncDisposable
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Starts to upload a layer, while others are still built.</summary>
    void StartUpload(Layer layer);

    /// <summary>Whether the image's config and all layers that were started were there already. A failure is left to <see cref="CommitManifestAsync"/>.</summary>
    Task<bool> HadAllBlobsAsync(Image image);

    /// <summary>Uploads what is missing and, once every blob is confirmed, the manifest by its digest.</summary>
    Task CommitManifestAsync(Image image);

    /// <summary>Puts an index there by its digest. All its images are there.</summary>
    Task CommitIndexAsync(MemoryBlobSource index);

    /// <summary>The changes that point tags at the image or index.</summary>
    IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags);

    /// <summary>What a tag points at now.</summary>
    Task<Descriptor?> FindTagAsync(Tag tag);

    /// <summary>Where the image is once it is tagged, and what was uploaded for it.</summary>
    Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags);
}
