using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>A repository of a registry as the place that an image goes to.</summary>
internal sealed class RegistryDestination(
    RegistryClient registries,
    LayerCache cache,
    Repository repository,
    CancellationToken cancellationToken
) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (BlobSource Blob, Task<BlobPushResult> Push)> pushes = [];

    public string Name => repository.ToString();

    public void StartUpload(Layer layer)
    {
        if (layer.Source is { } source)
            StartUpload(source);
    }

    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        StartUpload(image.ConfigBlob);
        await foreach (var push in Task.WhenEach(pushes.Values.Select(push => push.Push)))
        {
            if (!push.IsCompletedSuccessfully || (await push).Kind != BlobPushKind.Existing)
                return false;
        }

        return true;
    }

    public async Task CommitManifestAsync(Image image)
    {
        StartUpload(image.ConfigBlob);
        foreach (var layer in image.Layers)
            StartUpload(layer);
        await ConfirmAsync();
        try
        {
            await registries.PushManifestAsync(repository.ReferenceTo(image.Digest), image.Manifest, stop.Token);
        }
        catch (MissingBlobsException exception)
        {
            // A registry that has lost what it confirmed gets it once more.
            foreach (var missing in exception.Digests)
                pushes.Remove(missing);
            foreach (var layer in image.Layers)
                StartUpload(layer);
            StartUpload(image.ConfigBlob);
            await ConfirmAsync();
            await registries.PushManifestAsync(repository.ReferenceTo(image.Digest), image.Manifest, stop.Token);
        }
    }

    public Task CommitIndexAsync(MemoryBlobSource index) =>
        registries.PushManifestAsync(repository.ReferenceTo(index.Descriptor.Digest), index, stop.Token);

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) =>
        Tagging(registries, repository, manifest, tags);

    public Task<Descriptor?> FindTagAsync(Tag tag) => registries.FindManifestAsync(repository.ReferenceTo(tag), stop.Token);

    public async Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags)
    {
        var transfers = new Dictionary<Digest, BlobTransfer>();
        var totals = default(TransferTotals);
        foreach (var (digest, (blob, push)) in pushes)
        {
            transfers[digest] = ToTransfer(blob, await push);
            totals += transfers[digest].ToTotals(blob.Descriptor.Size);
        }

        return new DestinationResult
        {
            Repository = repository,
            Name = repository.ToString(),
            Tags = tags,
            Transfer = totals,
            Blobs = transfers,
        };
    }

    /// <summary>What points tags of a repository at a manifest or index that is there.</summary>
    internal static IReadOnlyList<TagChange> Tagging(
        RegistryClient registries,
        Repository repository,
        MemoryBlobSource manifest,
        IReadOnlyList<Tag> tags
    ) =>
        [
            .. tags.Select(repository.ReferenceTo)
                .Select(target => new TagChange([target.ToString()], cancelled =>
                    registries.PushManifestAsync(target, manifest, cancelled)
                )),
        ];

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(pushes.Values.Select(Task (push) => push.Push)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private void StartUpload(BlobSource blob)
    {
        if (!pushes.ContainsKey(blob.Descriptor.Digest))
            pushes.Add(blob.Descriptor.Digest, (blob, Task.Run(() => PushAsync(blob), stop.Token)));
    }

    private async Task<BlobPushResult> PushAsync(BlobSource blob)
    {
        var placed = await WithMountSourcesAsync(blob, repository, cache, stop.Token);
        var isMountable = placed.Repository?.Registry == repository.Registry;
        // What can't be mounted yet may be on its way to another repository, from another process.
        using var held = isMountable ? null : await cache.LockBlobAsync(blob.Descriptor.Digest, repository.Registry, stop.Token);
        if (!isMountable)
            placed = await WithMountSourcesAsync(blob, repository, cache, stop.Token);
        var push = await registries.PushBlobAsync(repository, placed, stop.Token);
        await cache.RememberRepositoryAsync(blob.Descriptor.Digest, repository, stop.Token);
        return push;
    }

    /// <summary>A blob with the repository that it can be mounted from, where one is known.</summary>
    internal static async Task<BlobSource> WithMountSourcesAsync(
        BlobSource blob,
        Repository repository,
        LayerCache cache,
        CancellationToken cancellationToken
    )
    {
        if (blob.Repository?.Registry == repository.Registry)
            return blob;
        var places = await cache.FindRepositoriesAsync(blob.Descriptor.Digest, cancellationToken);
        return places.FirstOrDefault(place => place.Registry == repository.Registry && place != repository) is { } place
            ? new MountableBlobSource(blob, place)
            : blob;
    }

    // The first failure ends the others: nobody waits for the rest of a push that can't succeed.
    private async Task ConfirmAsync()
    {
        await foreach (var finished in Task.WhenEach(pushes.Values.Select(push => push.Push)))
            await finished;
    }

    /// <summary>What a push made of a blob.</summary>
    internal static BlobTransfer ToTransfer(BlobSource blob, BlobPushResult push) =>
        push.Kind switch
        {
            BlobPushKind.Mounted => new BlobTransfer(TransferKind.Mounted, 0, push.From),
            BlobPushKind.Existing => BlobTransfer.Reused,
            _ => BlobTransfer.Sent(blob, push.UploadedBytes),
        };
}
