using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>A place that images would be copied to: asked what it has, and given nothing.</summary>
internal sealed class PlannedCopyTarget(ICopyTarget target, Func<BlobSource, CancellationToken, Task<BlobTransfer>> look) : ICopyTarget
{
    public bool TakesAttachments => target.TakesAttachments;

    public Task<bool> HasAsync(Descriptor manifest, CancellationToken cancellationToken) => target.HasAsync(manifest, cancellationToken);

    public async Task<TransferTotals> PutBlobAsync(BlobSource blob, CancellationToken cancellationToken) =>
        (await look(blob, cancellationToken)).ToTotals(blob.Descriptor.Size);

    public Task PutDocumentAsync(MemoryBlobSource document, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AttachAsync(Digest subject, IReadOnlyList<Descriptor> attached, CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource document, IReadOnlyList<Tag> tags) => [];

    public DestinationResult Describe(IReadOnlyList<Tag> tags, TransferTotals totals) => target.Describe(tags, totals);
}
