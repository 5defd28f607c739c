using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Planning;

namespace ImagePublish.Destinations;

/// <summary>A place that an image would go to: asked what it has, and given nothing.</summary>
internal abstract class PlannedDestination(DestinationResult delivery, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (Descriptor Blob, Task<BlobTransfer> Fate)> looks = [];
    private DestinationResult delivered = delivery;

    public string Name => delivered.Name;

    public void StartUpload(Layer layer)
    {
        if (layer.Source is { } source && !looks.ContainsKey(source.Descriptor.Digest))
            looks.Add(
                source.Descriptor.Digest,
                (source.Descriptor, Task.Run(() => LookAsync(source, layer.IsNew, stop.Token), stop.Token))
            );
    }

    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        StartUpload(image.ConfigBlob);
        return (await Task.WhenAll(looks.Values.Select(look => look.Fate))).All(fate => fate.Kind == TransferKind.Reused);
    }

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        foreach (var layer in image.Layers)
            StartUpload(layer);
        StartUpload(image.ConfigBlob);
        var totals = default(TransferTotals);
        foreach (var (blob, fate) in looks.Values)
            totals += (await fate).ToTotals(blob.Size);
        return totals;
    }

    private void StartUpload(MemoryBlobSource config) => StartUpload(new Layer(config.Descriptor, config.Descriptor.Digest, config));

    public Task PutIndexAsync(MemoryBlobSource index) => Task.CompletedTask;

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => [];

    public async Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        var fates = await Task.WhenAll(looks.Select(async look => (look.Key, await look.Value.Fate)));
        delivered = delivered with { Tags = tags, Transfer = totals, Blobs = fates.ToDictionary() };
        return delivered;
    }

    /// <summary>What would happen here, once it is all delivered.</summary>
    public async Task<PlannedDestinationResult> PlanAsync(DestinationResult delivery, Descriptor manifest, IReadOnlyList<ImageBlob> blobs)
    {
        var before = await Task.WhenAll(delivery.Tags.Select(tag => FindAsync(tag, cancellationToken)));
        return new PlannedDestinationResult(
            delivery,
            blobs,
            [.. delivery.Tags.Zip(before, (tag, old) => new PlannedTag(tag, old?.Digest, manifest.Digest))]
        );
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(looks.Values.Select(Task (look) => look.Fate)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    /// <summary>How a blob would get there.</summary>
    protected abstract Task<BlobTransfer> LookAsync(BlobSource blob, bool isNew, CancellationToken cancellationToken);

    /// <summary>What a tag points at now.</summary>
    protected abstract Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken);
}
