using ImagePublish.Oci;

namespace ImagePublish.Publishing.Verbs;

/// <summary>A place that images would be copied to: asked what it has, and given nothing.</summary>
/// <param name="target">The place.</param>
/// <param name="look">Tells how a blob would get there.</param>
internal sealed class PlannedCopyTarget(ICopyTarget target, Func<BlobSource, CancellationToken, Task<BlobFate>> look) : ICopyTarget
{
    public bool TakesAttachments => target.TakesAttachments;

    public Task<bool> HasAsync(Descriptor manifest, CancellationToken cancellationToken) => target.HasAsync(manifest, cancellationToken);

    public async Task<TransferTotals> PutBlobAsync(BlobSource blob, CancellationToken cancellationToken) =>
        (await look(blob, cancellationToken)).Count(blob.Descriptor.Size);

    public Task PutDocumentAsync(MemoryBlobSource document, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AttachAsync(Digest subject, IReadOnlyList<Descriptor> attached, CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<FinalChange> Tagging(MemoryBlobSource document, IReadOnlyList<Tag> tags) => [];

    public Delivery Describe(IReadOnlyList<Tag> tags, TransferTotals totals) => target.Describe(tags, totals);
}
