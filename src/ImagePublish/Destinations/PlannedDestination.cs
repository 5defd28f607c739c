using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>A place that an image would go to: asked what it has, and given nothing.</summary>
internal abstract class PlannedDestination(DestinationResult result, CancellationToken cancellationToken) : IDestination
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly Dictionary<Digest, (Descriptor Blob, Task<BlobTransfer> Fate)> looks = [];

    public string Name => result.Name;

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

    public async Task CommitManifestAsync(Image image)
    {
        foreach (var layer in image.Layers)
            StartUpload(layer);
        StartUpload(image.ConfigBlob);
        await Task.WhenAll(looks.Values.Select(look => look.Fate));
    }

    private void StartUpload(MemoryBlobSource config) => StartUpload(new Layer(config.Descriptor, config.Descriptor.Digest, config));

    public Task CommitIndexAsync(MemoryBlobSource index) => Task.CompletedTask;

    public IReadOnlyList<TagChange> Tagging(MemoryBlobSource manifest, IReadOnlyList<Tag> tags) => [];

    public Task<Descriptor?> FindTagAsync(Tag tag) => FindAsync(tag, cancellationToken);

    public async Task<DestinationResult> DescribeAsync(IReadOnlyList<Tag> tags)
    {
        var transfers = new Dictionary<Digest, BlobTransfer>();
        var totals = default(TransferTotals);
        foreach (var (digest, (blob, fate)) in looks)
        {
            transfers[digest] = await fate;
            totals += transfers[digest].ToTotals(blob.Size);
        }

        return result with
        {
            Tags = tags,
            Transfer = totals,
            Blobs = transfers,
        };
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
