using ImagePublish.Oci;

namespace ImagePublish.Publishing.Planning;

/// <summary>A place that an image would go to: asked what it has, and given nothing.</summary>
/// <param name="delivery">The place, with nothing moved.</param>
/// <param name="cancellationToken">Gives up; disposing does so too.</param>
internal abstract class PlannedDestination(Delivery delivery, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (Descriptor Blob, Task<BlobMove> Move)> looks = [];
    private Delivery delivered = delivery;

    public string Name => delivered.Name;

    public void Begin(Layer layer)
    {
        if (layer.Source is { } source && !looks.ContainsKey(source.Descriptor.Digest))
            looks.Add(source.Descriptor.Digest, (source.Descriptor, Task.Run(() => LookAsync(source, layer.IsNew, stop.Token), stop.Token)));
    }

    public async Task<TransferTotals> CompleteAsync(Image image)
    {
        foreach (var layer in image.Layers)
            Begin(layer);
        Begin(new Layer(image.ConfigBlob.Descriptor, image.ConfigBlob.Descriptor.Digest, image.ConfigBlob));
        var totals = default(TransferTotals);
        foreach (var (blob, move) in looks.Values)
            totals += Count(blob.Size, await move);
        return totals;
    }

    public Task PutIndexAsync(MemoryBlobSource index) => Task.CompletedTask;

    public Task<Delivery> TagAsync(MemoryBlobSource manifest, IReadOnlyList<Tag> tags, TransferTotals totals)
    {
        delivered = delivered with { Tags = tags, Transfer = totals };
        return Task.FromResult(delivered);
    }

    /// <summary>What would happen here, once it is all delivered.</summary>
    /// <param name="delivery">What the publish would report.</param>
    /// <param name="manifest">The image or index.</param>
    /// <param name="blobs">Its blobs and what they hold.</param>
    /// <returns>It.</returns>
    public async Task<PlannedPlace> PlanAsync(Delivery delivery, Descriptor manifest, IEnumerable<(Descriptor Blob, string Name)> blobs)
    {
        var planned = new List<PlannedBlob>();
        // What was not looked at is there: the tags point at the image already.
        foreach (var (blob, name) in blobs)
            planned.Add(new PlannedBlob(name, blob, looks.TryGetValue(blob.Digest, out var look) ? await look.Move : BlobMove.Reused));
        var before = await Task.WhenAll(delivery.Tags.Select(tag => FindAsync(tag, cancellationToken)));
        return new PlannedPlace(delivery, planned, [.. delivery.Tags.Zip(before, (tag, old) => new PlannedTag(tag, old?.Digest, manifest.Digest))]);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(looks.Values.Select(Task (look) => look.Move)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    /// <summary>How a blob would get there.</summary>
    protected abstract Task<BlobMove> LookAsync(BlobSource blob, bool isNew, CancellationToken cancellationToken);

    /// <summary>What a tag points at now.</summary>
    protected abstract Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken);

    /// <summary>What a blob adds to the totals.</summary>
    internal static TransferTotals Count(long size, BlobMove move) => move switch
    {
        BlobMove.Reused => new TransferTotals(0, 0, size),
        BlobMove.Mounted => new TransferTotals(0, size, 0),
        _ => new TransferTotals(size, 0, 0),
    };
}
