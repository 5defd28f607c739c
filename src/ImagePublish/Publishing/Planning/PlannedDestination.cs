using ImagePublish.Oci;

namespace ImagePublish.Publishing.Planning;

/// <summary>A place that an image would go to: asked what it has, and given nothing.</summary>
/// <param name="delivery">The place, with nothing moved.</param>
/// <param name="cancellationToken">Gives up; disposing does so too.</param>
internal abstract class PlannedDestination(Delivery delivery, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (Descriptor Blob, Task<BlobFate> Fate)> looks = [];
    private Delivery delivered = delivery;

    public string Name => delivered.Name;

    public void Begin(Layer layer)
    {
        if (layer.Source is { } source && !looks.ContainsKey(source.Descriptor.Digest))
            looks.Add(source.Descriptor.Digest, (source.Descriptor, Task.Run(() => LookAsync(source, layer.IsNew, stop.Token), stop.Token)));
    }

    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        Begin(image.ConfigBlob);
        return (await Task.WhenAll(looks.Values.Select(look => look.Fate))).All(fate => fate.Move == BlobMove.Reused);
    }

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        foreach (var layer in image.Layers)
            Begin(layer);
        Begin(image.ConfigBlob);
        var totals = default(TransferTotals);
        foreach (var (blob, fate) in looks.Values)
            totals += (await fate).Count(blob.Size);
        return totals;
    }

    private void Begin(MemoryBlobSource config) => Begin(new Layer(config.Descriptor, config.Descriptor.Digest, config));

    public Task PutIndexAsync(MemoryBlobSource index) => Task.CompletedTask;

    public IReadOnlyList<FinalChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => [];

    public async Task<Delivery> DescribeAsync(IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        var fates = await Task.WhenAll(looks.Select(async look => (look.Key, await look.Value.Fate)));
        delivered = delivered with { Tags = tags, Transfer = totals, Blobs = fates.ToDictionary() };
        return delivered;
    }

    /// <summary>What would happen here, once it is all delivered.</summary>
    /// <param name="delivery">What the publish would report.</param>
    /// <param name="manifest">The image or index.</param>
    /// <param name="blobs">What would become of its blobs.</param>
    /// <returns>It.</returns>
    public async Task<PlannedPlace> PlanAsync(Delivery delivery, Descriptor manifest, IReadOnlyList<ImageBlob> blobs)
    {
        var before = await Task.WhenAll(delivery.Tags.Select(tag => FindAsync(tag, cancellationToken)));
        return new PlannedPlace(delivery, blobs, [.. delivery.Tags.Zip(before, (tag, old) => new PlannedTag(tag, old?.Digest, manifest.Digest))]);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(looks.Values.Select(Task (look) => look.Fate)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    /// <summary>How a blob would get there.</summary>
    protected abstract Task<BlobFate> LookAsync(BlobSource blob, bool isNew, CancellationToken cancellationToken);

    /// <summary>What a tag points at now.</summary>
    protected abstract Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken);
}
