using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>A place that images are copied to.</summary>
internal interface ICopyTarget
{
    /// <summary>Whether signatures and the like can be attached there.</summary>
    bool TakesAttachments { get; }

    /// <summary>Whether it has a manifest, and so all that it names.</summary>
    Task<bool> HasAsync(Descriptor manifest, CancellationToken cancellationToken);

    /// <summary>Makes sure that it has a blob.</summary>
    Task<TransferTotals> PutBlobAsync(BlobSource blob, CancellationToken cancellationToken);

    /// <summary>Puts a manifest or index there by its digest.</summary>
    Task PutDocumentAsync(MemoryBlobSource document, CancellationToken cancellationToken);

    /// <summary>Makes sure that what is attached to a manifest is found there.</summary>
    Task AttachAsync(Digest subject, IReadOnlyList<Descriptor> attached, CancellationToken cancellationToken);

    /// <summary>What points tags at a manifest or index.</summary>
    IReadOnlyList<TagChange> Tagging(MemoryBlobSource document, IReadOnlyList<Tag> tags);

    /// <summary>Where the image is once it is tagged.</summary>
    DestinationResult Describe(IReadOnlyList<Tag> tags, TransferTotals totals);
}

/// <summary>A repository of a registry.</summary>
internal sealed class RegistryTarget(RegistryClient registries, Repository repository) : ICopyTarget
{
    public bool TakesAttachments => true;

    public async Task<bool> HasAsync(Descriptor manifest, CancellationToken cancellationToken) =>
        await registries.FindManifestAsync(repository.ReferenceTo(manifest.Digest), cancellationToken) is not null;

    public async Task<TransferTotals> PutBlobAsync(BlobSource blob, CancellationToken cancellationToken) =>
        RegistryDestination
            .ToTransfer(blob, await registries.PushBlobAsync(repository, blob, cancellationToken))
            .ToTotals(blob.Descriptor.Size);

    public Task PutDocumentAsync(MemoryBlobSource document, CancellationToken cancellationToken) =>
        registries.PushManifestAsync(repository.ReferenceTo(document.Descriptor.Digest), document, cancellationToken);

    // A registry with the endpoint finds them by their subject; for one without, a tag lists them.
    public async Task AttachAsync(Digest subject, IReadOnlyList<Descriptor> attached, CancellationToken cancellationToken)
    {
        if (await registries.ListReferrersAsync(repository, subject, cancellationToken) is not null)
            return;
        var known = await RegistryContent.FallbackAsync(registries, repository, subject, cancellationToken);
        Descriptor[] all = [.. known.Concat(attached).DistinctBy(one => one.Digest)];
        if (all.Length == known.Count)
            return;
        var index = MemoryBlobSource.Create(MediaTypes.OciIndex, OciJson.Write(new ImageIndex(all) { MediaType = MediaTypes.OciIndex }));
        await new TagChanges(NameChange.Tagged, registries.Log, registries.Time).MakeAsync(
            Tagging(index, [Tag.Parse(RegistryContent.FallbackTag(subject))]),
            cancellationToken
        );
    }

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource document, IReadOnlyList<Tag> tags) =>
        RegistryDestination.Tagging(registries, repository, document, tags);

    public DestinationResult Describe(IReadOnlyList<Tag> tags, TransferTotals totals) =>
        new()
        {
            Repository = repository,
            Name = repository.ToString(),
            Tags = tags,
            Transfer = totals,
        };
}

/// <summary>The local store.</summary>
internal sealed class StoreTarget(ImageStore store, string name, IPublishLog log) : ICopyTarget
{
    public bool TakesAttachments => false;

    // What it names may have been pruned, or be another platform's.
    public Task<bool> HasAsync(Descriptor manifest, CancellationToken cancellationToken) => Task.FromResult(false);

    public async Task<TransferTotals> PutBlobAsync(BlobSource blob, CancellationToken cancellationToken)
    {
        var size = blob.Descriptor.Size;
        if (store.FindBlob(blob.Descriptor) is not null)
            return new TransferTotals(0, 0, size);
        await WatchedBlobSource.PutAsync(blob, store, log, cancellationToken);
        return new TransferTotals(size, 0, 0);
    }

    public Task PutDocumentAsync(MemoryBlobSource document, CancellationToken cancellationToken) =>
        store.PutAsync(document, cancellationToken);

    public Task AttachAsync(Digest subject, IReadOnlyList<Descriptor> attached, CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource document, IReadOnlyList<Tag> tags) =>
        StoreDestination.Tagging(store, name, document, tags);

    public DestinationResult Describe(IReadOnlyList<Tag> tags, TransferTotals totals) =>
        new()
        {
            Name = name,
            Tags = tags,
            Transfer = totals,
        };
}
