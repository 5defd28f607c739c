using ImagePublish.Attachments;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Trust;

namespace ImagePublish.Destinations;

/// <summary>A name in the local store as a destination.</summary>
internal sealed class StoreDestination(ImageStore store, string name, IPublishLog log, CancellationToken cancellationToken)
    : Destination(name, repository: null, cancellationToken)
{
    // What a manifest references may have been pruned, or be another platform's.
    public override bool KeepsImagesWhole => false;

    // Writing the names again costs as much as looking for them.
    public override Task<bool> HadAllBlobsAsync() => Task.FromResult(false);

    public override Task<bool> HasManifestAsync(Descriptor manifest) => Task.FromResult(store.FindBlob(manifest) is not null);

    public override async Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest) =>
        store.FindBlob(manifest) is null ? null : await store.ReadAsync(manifest, OciJson.MaxManifestSize, Stop);

    public override Task PutManifestAsync(MemoryBlobSource manifest) => TransferAsync(manifest, isNew: false);

    public override Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject) =>
        store.ListAttachmentsAsync(subject.Digest, Stop);

    public override Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments) =>
        store.AttachAsync(subject.Digest, attachments, Stop);

    // A tag would be an image of this machine.
    public override bool HasSignatureTags => false;

    public override async IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted)
    {
        foreach (var entry in await store.ListAttachmentsAsync(subject, Stop))
        {
            if (entry.ArtifactType is not (SigstoreBundle.MediaType or NotationEnvelope.ArtifactType))
                continue;
            if (
                await TryReadManifestAsync(entry) is { } manifest
                && OciJson.ReadManifest(manifest.Content.Span) is { Layers: [var layer] } bundle
                && bundle.Subject?.Digest == subject
                && store.FindBlob(layer) is not null
                && isWanted(SignatureArtifact.FormOfLayer(layer.MediaType))
            )
                yield return await ReadSignatureAsync(entry.Digest, layer);
        }
    }

    public override Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature) =>
        ReadSignatureAsync(signature.Manifest.Descriptor.Digest, signature.Blobs[^1].Descriptor);

    private async Task<SignatureArtifact> ReadSignatureAsync(Digest manifest, Descriptor layer) =>
        new(SignatureArtifact.FormOfLayer(layer.MediaType), manifest)
        {
            MediaType = layer.MediaType,
            Content = (await store.ReadAsync(layer, SigstoreBundle.MaxSize, Stop)).Content,
        };

    // All names at once.
    public override IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags)
    {
        string[] names = [.. tags.Select(tag => $"{Name}:{tag}")];
        return names.Length == 0
            ? []
            : [new TagChange(names, cancelled => store.SetReferencesAsync(names, manifest.Descriptor, StoredPlatforms.All, cancelled))];
    }

    public override Task<Descriptor?> FindTagAsync(Tag tag) => store.FindReferenceAsync($"{Name}:{tag}", Stop);

    // A layer that was made just now was made in the store: it is there, and yet it was written.
    internal override Task<BlobTransfer> MeasureAsync(BlobSource blob, bool isNew) =>
        Task.FromResult(
            !isNew && store.FindBlob(blob.Descriptor) is not null
                ? BlobTransfer.Reused
                : BlobTransfer.CreateUpload(blob, blob.Descriptor.Size)
        );

    protected override async Task<BlobTransfer> TransferAsync(BlobSource blob, bool isNew)
    {
        var transfer = await MeasureAsync(blob, isNew);
        if (transfer == BlobTransfer.Reused)
            return transfer;
        if (isNew || blob is MemoryBlobSource)
            await store.PutAsync(blob, Stop);
        else
            await LoggedBlobSource.PutAsync(store, blob, log, Stop);
        return transfer;
    }
}
