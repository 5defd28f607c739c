using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>The local store as the place that an image goes to.</summary>
/// <param name="store">The store.</param>
/// <param name="name">The image's name in it, without a tag.</param>
/// <param name="cancellationToken">Gives up; disposing does so too.</param>
internal sealed class StoreDestination(ImageStore store, string name, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, Task<TransferTotals>> puts = [];

    public string Name => name;

    public void Begin(Layer layer)
    {
        if (layer.Source is { } source && !puts.ContainsKey(source.Descriptor.Digest))
            puts.Add(source.Descriptor.Digest, Task.Run(() => PutAsync(source, layer.IsNew), stop.Token));
    }

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        foreach (var layer in image.Layers)
            Begin(layer);
        await foreach (var finished in Task.WhenEach(puts.Values))
            await finished;
        var totals = (await Task.WhenAll(puts.Values)).Aggregate(default(TransferTotals), TransferTotals.Add);
        totals += await PutAsync(image.ConfigBlob);
        await PutAsync(image.Manifest);
        return totals;
    }

    public Task PutIndexAsync(MemoryBlobSource index) => PutAsync(index);

    public async Task<Delivery> TagAsync(MemoryBlobSource manifest, IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        await store.SetReferencesAsync([.. tags.Select(tag => $"{name}:{tag}")], manifest.Descriptor, StoredPlatforms.All, stop.Token);
        var blobs = await Task.WhenAll(puts.Select(async put => (put.Key, (await put.Value).UploadedBytes > 0 ? BlobMove.Uploaded : BlobMove.Reused)));
        return new Delivery { Name = name, Tags = tags, Transfer = totals, Blobs = blobs.ToDictionary() };
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(puts.Values.Select(Task (put) => put)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    // A layer that was made just now was made in the store: it is there, and yet it was written.
    private async Task<TransferTotals> PutAsync(BlobSource blob, bool isNew = false)
    {
        var size = blob.Descriptor.Size;
        if (!isNew && store.FindBlob(blob.Descriptor) is not null)
            return new TransferTotals(0, 0, size);
        await store.PutAsync(blob, stop.Token);
        return new TransferTotals(size, 0, 0);
    }
}
