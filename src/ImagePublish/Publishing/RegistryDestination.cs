using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>A repository of a registry as the place that an image goes to.</summary>
/// <param name="registries">The registries.</param>
/// <param name="cache">Which repositories have which blobs.</param>
/// <param name="repository">The repository.</param>
/// <param name="cancellationToken">Gives up; disposing does so too.</param>
internal sealed class RegistryDestination(RegistryClient registries, LayerCache cache, Repository repository, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (BlobSource Blob, Task<BlobPush> Push)> pushes = [];

    public string Name => repository.ToString();

    public void Begin(Layer layer)
    {
        if (layer.Source is { } source)
            Begin(source);
    }

    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        Begin(image.ConfigBlob);
        await foreach (var push in Task.WhenEach(pushes.Values.Select(push => push.Push)))
        {
            if (!push.IsCompletedSuccessfully || (await push).Kind != BlobPushKind.Existing)
                return false;
        }

        return true;
    }

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        Begin(image.ConfigBlob);
        foreach (var layer in image.Layers)
            Begin(layer);
        var totals = await ConfirmAsync();
        try
        {
            await registries.PushManifestAsync(repository.At(image.Digest), image.Manifest, stop.Token);
        }
        catch (MissingBlobsException exception)
        {
            // A registry that has lost what it confirmed gets it once more.
            foreach (var missing in exception.Digests)
                pushes.Remove(missing);
            foreach (var layer in image.Layers)
                Begin(layer);
            Begin(image.ConfigBlob);
            totals = await ConfirmAsync();
            await registries.PushManifestAsync(repository.At(image.Digest), image.Manifest, stop.Token);
        }

        return totals;
    }

    public Task PutIndexAsync(MemoryBlobSource index) => registries.PushManifestAsync(repository.At(index.Descriptor.Digest), index, stop.Token);

    public IReadOnlyList<FinalChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => Tagging(registries, repository, manifest, tags);

    public async Task<Delivery> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        var blobs = await Task.WhenAll(pushes.Select(async push => (push.Key, Fate(push.Value.Blob, await push.Value.Push))));
        return new Delivery { Repository = repository, Name = repository.ToString(), Tags = tags, Transfer = totals, Blobs = blobs.ToDictionary() };
    }

    /// <summary>What points tags of a repository at a manifest or index that is there.</summary>
    internal static IReadOnlyList<FinalChange> Tagging(RegistryClient registries, Repository repository, MemoryBlobSource manifest, IReadOnlyList<Tag> tags) =>
        [.. tags.Select(repository.At).Select(target => new FinalChange([target.ToString()], cancelled => registries.PushManifestAsync(target, manifest, cancelled)))];

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(pushes.Values.Select(Task (push) => push.Push)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private void Begin(BlobSource blob)
    {
        if (!pushes.ContainsKey(blob.Descriptor.Digest))
            pushes.Add(blob.Descriptor.Digest, (blob, Task.Run(() => PushAsync(blob), stop.Token)));
    }

    private async Task<BlobPush> PushAsync(BlobSource blob)
    {
        var placed = await PlacedAsync(blob, repository, cache, stop.Token);
        var isMountable = placed.Repository?.Registry == repository.Registry;
        // What can't be mounted yet may be on its way to another repository, from another process.
        using var held = isMountable ? null : await cache.LockBlobAsync(blob.Descriptor.Digest, repository.Registry, stop.Token);
        if (!isMountable)
            placed = await PlacedAsync(blob, repository, cache, stop.Token);
        var push = await registries.PushBlobAsync(repository, placed, stop.Token);
        await cache.RememberPlaceAsync(blob.Descriptor.Digest, repository, stop.Token);
        return push;
    }

    /// <summary>A blob with the repository that it can be mounted from, where one is known.</summary>
    internal static async Task<BlobSource> PlacedAsync(BlobSource blob, Repository repository, LayerCache cache, CancellationToken cancellationToken)
    {
        if (blob.Repository?.Registry == repository.Registry)
            return blob;
        var places = await cache.FindPlacesAsync(blob.Descriptor.Digest, cancellationToken);
        return places.FirstOrDefault(place => place.Registry == repository.Registry && place != repository) is { } place ? new PlacedBlobSource(blob, place) : blob;
    }

    // The first failure ends the others: nobody waits for the rest of a push that can't succeed.
    private async Task<TransferTotals> ConfirmAsync()
    {
        var totals = default(TransferTotals);
        await foreach (var finished in Task.WhenEach(pushes.Values.Select(push => push.Push)))
            await finished;
        foreach (var (blob, push) in pushes.Values)
            totals += Fate(blob, await push).Count(blob.Descriptor.Size);
        return totals;
    }

    /// <summary>What a push made of a blob.</summary>
    internal static BlobFate Fate(BlobSource blob, BlobPush push) => push.Kind switch
    {
        BlobPushKind.Mounted => new BlobFate(BlobMove.Mounted, 0, push.From),
        BlobPushKind.Existing => BlobFate.Reused,
        _ => BlobFate.Sent(blob, push.UploadedBytes),
    };
}
