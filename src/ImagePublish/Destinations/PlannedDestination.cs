using ImagePublish.Attachments;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Destinations;

/// <summary>A destination that is only measured: asked what it has, and given nothing.</summary>
internal sealed class PlannedDestination(Destination destination, CancellationToken cancellationToken)
    : Destination(destination.Name, destination.Repository, cancellationToken)
{
    public override bool KeepsImagesWhole => destination.KeepsImagesWhole;

    public override Task<bool> HasManifestAsync(Descriptor manifest) => destination.HasManifestAsync(manifest);

    public override Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest) => destination.TryReadManifestAsync(manifest);

    public override Task PutManifestAsync(MemoryBlobSource manifest) => Task.CompletedTask;

    public override Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject) => destination.FindAttachmentsAsync(subject);

    public override Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments) => Task.CompletedTask;

    public override bool IsOnlyMeasured => true;

    public override bool HasSignatureTags => destination.HasSignatureTags;

    public override IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted) =>
        destination.FindSignaturesAsync(subject, isWanted);

    public override Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature) => destination.ReadSignatureAsync(signature);

    public override IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => [];

    public override Task<Descriptor?> FindTagAsync(Tag tag) => destination.FindTagAsync(tag);

    protected override Task<BlobTransfer> TransferAsync(BlobSource blob, bool isNew) => destination.MeasureAsync(blob, isNew);

    internal override Task<BlobTransfer> MeasureAsync(BlobSource blob, bool isNew) => destination.MeasureAsync(blob, isNew);

    public override async ValueTask DisposeAsync()
    {
        await destination.DisposeAsync();
        await base.DisposeAsync();
    }
}
