using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>The local store as the place that an image goes to.</summary>
internal sealed class StoreDestination(ImageStore store, string name, IPublishLog log, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (BlobSource Blob, Task<BlobTransfer> Put)> puts = [];

    public string Name => name;

    public void StartUpload(Layer layer)
    {
        if (layer.Source is { } source)
            StartUpload(source, layer.IsNew);
    }

    // Writing the names again costs as much as looking for them.
    public Task<bool> HadAllBlobsAsync(Image image) => Task.FromResult(false);

    public async Task CommitManifestAsync(Image image)
    {
        foreach (var layer in image.Layers)
            StartUpload(layer);
        StartUpload(image.ConfigBlob, isNew: false);
        await foreach (var finished in Task.WhenEach(puts.Values.Select(put => put.Put)))
            await finished;
        await PutAsync(image.Manifest);
    }

    public Task CommitIndexAsync(MemoryBlobSource index) => PutAsync(index);

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => Tagging(store, name, manifest, tags);

    public Task<Descriptor?> FindTagAsync(Tag tag) => store.FindReferenceAsync($"{name}:{tag}", stop.Token);

    public async Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags)
    {
        var transfers = new Dictionary<Digest, BlobTransfer>();
        var totals = default(TransferTotals);
        foreach (var (digest, (blob, put)) in puts)
        {
            transfers[digest] = await put;
            totals += transfers[digest].ToTotals(blob.Descriptor.Size);
        }

        return new DestinationResult
        {
            Name = name,
            Tags = tags,
            Transfer = totals,
            Blobs = transfers,
        };
    }

    /// <summary>What points tags of a name in the store at a manifest or index that is there: all of them at once.</summary>
    internal static IReadOnlyList<TagChange> Tagging(ImageStore store, string name, MemoryBlobSource manifest, IReadOnlyList<Tag> tags)
    {
        string[] names = [.. tags.Select(tag => $"{name}:{tag}")];
        return names.Length == 0
            ? []
            : [new TagChange(names, cancelled => store.SetReferencesAsync(names, manifest.Descriptor, StoredPlatforms.All, cancelled))];
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(puts.Values.Select(Task (put) => put.Put)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private void StartUpload(BlobSource blob, bool isNew)
    {
        if (!puts.ContainsKey(blob.Descriptor.Digest))
            puts.Add(blob.Descriptor.Digest, (blob, Task.Run(() => PutAsync(blob, isNew), stop.Token)));
    }

    // A layer that was made just now was made in the store: it is there, and yet it was written.
    private async Task<BlobTransfer> PutAsync(BlobSource blob, bool isNew = false)
    {
        if (!isNew && store.FindBlob(blob.Descriptor) is not null)
            return BlobTransfer.Reused;
        if (isNew || blob is MemoryBlobSource)
            await store.PutAsync(blob, stop.Token);
        else
            await WatchedBlobSource.PutAsync(blob, store, log, stop.Token);
        return BlobTransfer.Sent(blob, blob.Descriptor.Size);
    }
}
