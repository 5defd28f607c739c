using System.Collections.Concurrent;
using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Signing;
using ImagePublish.Trust;

namespace ImagePublish.Destinations;

/// <summary>A repository of a registry as a destination.</summary>
internal sealed class RegistryDestination(
    RegistryClient registries,
    IBlobLocations locations,
    Repository repository,
    CancellationToken cancellationToken
) : Destination(repository.ToString(), repository, cancellationToken)
{
    private readonly Repository repository = repository;

    // What the registry said of the subjects of manifests that were put.
    private readonly ConcurrentDictionary<Digest, bool> acknowledged = new();

    // Subjects whose attachments the registry was asked for, and does not list.
    private readonly ConcurrentDictionary<Digest, bool> unlisted = new();

    public override bool KeepsImagesWhole => true;

    public override async Task<bool> HasManifestAsync(Descriptor manifest) =>
        await registries.FindManifestAsync(repository.ReferenceTo(manifest.Digest), Stop) is not null;

    public override async Task<MemoryBlobSource?> TryReadManifestAsync(Descriptor manifest) =>
        (await registries.TryGetManifestAsync(repository.ReferenceTo(manifest.Digest), Stop))?.Content;

    public override async Task PutManifestAsync(MemoryBlobSource manifest)
    {
        var digest = manifest.Descriptor.Digest;
        acknowledged[digest] = await registries.PushManifestAsync(repository.ReferenceTo(digest), manifest, RepeatUploadsAsync, Stop);
    }

    public override async Task<IReadOnlyList<Descriptor>> FindAttachmentsAsync(Descriptor subject)
    {
        var listed = await registries.ListReferrersAsync(repository, subject.Digest, Stop);
        if (listed is null)
            unlisted[subject.Digest] = true;
        return await ReferrersTag.CompleteAsync(listed, registries, repository, subject.Digest, Stop);
    }

    // Processes of this machine wait for each other; ReferrersWriter settles with all others.
    public override async Task AttachAsync(Descriptor subject, IReadOnlyList<Descriptor> attachments)
    {
        using var held = await locations.LockAsync(subject.Digest, repository.Registry, Stop);
        // A registry with the referrers API says so when it gets the manifest. Any other wants the tag, and need not be asked for more.
        var support =
            attachments.All(one => acknowledged.GetValueOrDefault(one.Digest)) ? ReferrersSupport.Acknowledged
            : unlisted.ContainsKey(subject.Digest) || attachments.Any(WasIgnored) ? ReferrersSupport.Missing
            : ReferrersSupport.Unknown;
        await new ReferrersWriter(registries, repository).AttachAsync(subject.Digest, attachments, support, Stop);
    }

    private bool WasIgnored(Descriptor attachment) =>
        acknowledged.TryGetValue(attachment.Digest, out var isAcknowledged) && !isAcknowledged;

    public override bool HasSignatureTags => true;

    public override IAsyncEnumerable<SignatureArtifact> FindSignaturesAsync(Digest subject, Func<SignatureForm, bool> isWanted) =>
        new SignatureFinder(registries, repository).FindAsync(subject, isWanted, Stop);

    public override Task<SignatureArtifact> ReadSignatureAsync(AttachedManifest signature) =>
        new SignatureFinder(registries, repository).ReadAsync(signature.Manifest.Descriptor.Digest, signature.Blobs[^1].Descriptor, Stop);

    // As with attachments, processes of this machine wait for each other: for this tag.
    public override async Task SignTagAsync(Digest subject, IReadOnlyList<TagSignature> signatures)
    {
        var tag = Digest.Compute(Encoding.UTF8.GetBytes(SimpleSigning.TagOf(subject).Value));
        using var held = await locations.LockAsync(tag, repository.Registry, Stop);
        await new SignatureTagWriter(registries, repository, subject).AddAsync(signatures, Stop);
    }

    public override IReadOnlyList<TagChange> CreateTagChanges(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) =>
        CreateTagChanges(registries, repository, manifest, tags);

    /// <summary>The changes that point tags of a repository at a manifest or index that is there.</summary>
    public static IReadOnlyList<TagChange> CreateTagChanges(
        RegistryClient registries,
        Repository repository,
        MemoryBlobSource manifest,
        IReadOnlyList<Tag> tags
    )
    {
        return [.. tags.Select(tag => CreateChange(repository.ReferenceTo(tag)))];

        TagChange CreateChange(Reference target) =>
            new([target.ToString()], cancelled => registries.PushManifestAsync(target, manifest, cancelled));
    }

    public override Task<Descriptor?> FindTagAsync(Tag tag) => registries.FindManifestAsync(repository.ReferenceTo(tag), Stop);

    protected override async Task<BlobTransfer> TransferAsync(BlobSource blob, bool isNew)
    {
        var push = await registries.BlobsOf(repository.Registry).PushAsync(repository, blob, locations, Stop);
        return push.Kind switch
        {
            BlobPushKind.Mounted => new BlobTransfer(TransferKind.Mounted, 0, push.From),
            BlobPushKind.Existing => BlobTransfer.Reused,
            _ => BlobTransfer.CreateUpload(blob, push.UploadedBytes) with { WasAbsent = push.WasAbsent },
        };
    }

    // Whether a registry mounts a blob that another repository has can't be asked without doing it: nearly all do.
    internal override async Task<BlobTransfer> MeasureAsync(BlobSource blob, bool isNew)
    {
        if (await registries.HasBlobAsync(repository, blob.Descriptor, Stop))
            return BlobTransfer.Reused;
        var source = await registries.BlobsOf(repository.Registry).FindMountSourceAsync(repository, blob, locations, Stop);
        return source is not null && await registries.HasBlobAsync(source, blob.Descriptor, Stop)
            ? new BlobTransfer(TransferKind.Mounted, 0, source)
            : BlobTransfer.CreateUpload(blob, blob.Descriptor.Size) with
            {
                WasAbsent = true,
            };
    }
}
