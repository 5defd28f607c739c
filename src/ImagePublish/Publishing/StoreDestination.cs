using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>The local store as the place that an image goes to.</summary>
/// <param name="store">The store.</param>
/// <param name="name">The image's name in it, without a tag.</param>
/// <param name="log">Where to tell how far it is.</param>
/// <param name="cancellationToken">Gives up; disposing does so too.</param>
internal sealed class StoreDestination(ImageStore store, string name, IEngineLog log, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (BlobSource Blob, Task<BlobFate> Put)> puts = [];

    public string Name => name;

    public void Begin(Layer layer)
    {
        if (layer.Source is { } source)
            Begin(source, layer.IsNew);
    }

    // Writing the names again costs as much as looking for them.
    public Task<bool> HadAllBlobsAsync(Image image) => Task.FromResult(false);

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        foreach (var layer in image.Layers)
            Begin(layer);
        Begin(image.ConfigBlob, isNew: false);
        var totals = default(TransferTotals);
        await foreach (var finished in Task.WhenEach(puts.Values.Select(put => put.Put)))
            await finished;
        foreach (var (blob, put) in puts.Values)
            totals += (await put).Count(blob.Descriptor.Size);
        await PutAsync(image.Manifest);
        return totals;
    }

    public Task PutIndexAsync(MemoryBlobSource index) => PutAsync(index);

    public IReadOnlyList<FinalChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => Tagging(store, name, manifest, tags);

    public async Task<Delivery> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        var blobs = await Task.WhenAll(puts.Select(async put => (put.Key, await put.Value.Put)));
        return new Delivery { Name = name, Tags = tags, Transfer = totals, Blobs = blobs.ToDictionary() };
    }

    /// <summary>What points tags of a name in the store at a manifest or index that is there: all of them at once.</summary>
    internal static IReadOnlyList<FinalChange> Tagging(ImageStore store, string name, MemoryBlobSource manifest, IReadOnlyList<Tag> tags)
    {
        string[] names = [.. tags.Select(tag => $"{name}:{tag}")];
        return names.Length == 0 ? [] : [new FinalChange(names, cancelled => store.SetReferencesAsync(names, manifest.Descriptor, StoredPlatforms.All, cancelled))];
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(puts.Values.Select(Task (put) => put.Put)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private void Begin(BlobSource blob, bool isNew)
    {
        if (!puts.ContainsKey(blob.Descriptor.Digest))
            puts.Add(blob.Descriptor.Digest, (blob, Task.Run(() => PutAsync(blob, isNew), stop.Token)));
    }

    // A layer that was made just now was made in the store: it is there, and yet it was written.
    private async Task<BlobFate> PutAsync(BlobSource blob, bool isNew = false)
    {
        if (!isNew && store.FindBlob(blob.Descriptor) is not null)
            return BlobFate.Reused;
        if (isNew || blob is MemoryBlobSource)
            await store.PutAsync(blob, stop.Token);
        else
            await WatchedBlobSource.PutAsync(blob, store, log, stop.Token);
        return BlobFate.Sent(blob, blob.Descriptor.Size);
    }
}
