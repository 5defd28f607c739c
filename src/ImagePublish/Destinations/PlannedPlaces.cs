using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>A repository of a registry, asked by HEAD requests alone.</summary>
internal sealed class PlannedRegistry(
    RegistryClient registries,
    LayerCache cache,
    Repository repository,
    CancellationToken cancellationToken
)
    : PlannedDestination(
        new DestinationResult
        {
            Repository = repository,
            Name = repository.ToString(),
            Tags = [],
            Transfer = default,
        },
        cancellationToken
    )
{
    /// <summary>How a blob would get to a repository.</summary>
    public static async Task<BlobTransfer> LookAsync(
        RegistryClient registries,
        LayerCache cache,
        Repository repository,
        BlobSource blob,
        CancellationToken cancellationToken
    )
    {
        if (await registries.HasBlobAsync(repository, blob.Descriptor, cancellationToken))
            return BlobTransfer.Reused;
        var home = (await RegistryDestination.WithMountSourcesAsync(blob, repository, cache, cancellationToken)).Repository;

        // The cache's places are hints; and whether a registry mounts what it has elsewhere can't be asked without doing so: nearly all do.
        return
            home is not null
            && home != repository
            && home.Registry == repository.Registry
            && await registries.HasBlobAsync(home, blob.Descriptor, cancellationToken)
            ? new BlobTransfer(TransferKind.Mounted, 0, home)
            : BlobTransfer.Sent(blob, blob.Descriptor.Size);
    }

    protected override Task<BlobTransfer> LookAsync(BlobSource blob, bool isNew, CancellationToken cancellationToken) =>
        LookAsync(registries, cache, repository, blob, cancellationToken);

    protected override Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken) =>
        registries.FindManifestAsync(repository.ReferenceTo(tag), cancellationToken);
}

/// <summary>The local store, which is only looked at.</summary>
internal sealed class PlannedStore(ImageStore store, string name, CancellationToken cancellationToken)
    : PlannedDestination(
        new DestinationResult
        {
            Name = name,
            Tags = [],
            Transfer = default,
        },
        cancellationToken
    )
{
    protected override Task<BlobTransfer> LookAsync(BlobSource blob, bool isNew, CancellationToken cancellationToken) =>
        Task.FromResult(
            !isNew && store.FindBlob(blob.Descriptor) is not null ? BlobTransfer.Reused : BlobTransfer.Sent(blob, blob.Descriptor.Size)
        );

    protected override Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken) =>
        store.FindReferenceAsync($"{name}:{tag}", cancellationToken);
}
