using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Destinations;

/// <summary>All destinations of an image, one step at a time: uploads, manifests, tags. Every one has the whole
/// image before the first tag moves anywhere.</summary>
internal sealed class DestinationSet(IEnumerable<IDestination> destinations, TagChanges changes, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private readonly List<IDestination> destinations = [.. destinations];

    public IReadOnlyList<IDestination> All => destinations;

    /// <summary>The changes of tags, which are counted together where something goes wrong.</summary>
    public TagChanges Changes => changes;

    /// <summary>Starts to upload layers to every destination; they go on while others are built.</summary>
    public void StartUploads(IEnumerable<Layer> layers)
    {
        foreach (var layer in layers)
        {
            foreach (var destination in destinations)
                _ = UploadAsync(destination, layer);
        }
    }

    /// <summary>Whether every destination had the image's config and all layers that were started.</summary>
    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        foreach (var destination in destinations)
        {
            _ = destination.UploadAsync(image.ConfigBlob);
            if (!await destination.HadAllBlobsAsync())
                return false;
        }

        return true;
    }

    /// <summary>Completes an image everywhere: every blob is confirmed, then its manifest is put by digest.</summary>
    public Task CommitManifestsAsync(Image image) => EachAsync(destination => CommitManifestAsync(destination, image));

    /// <summary>Does the same at every destination, before a tag moves at any: the first failure ends the wait.</summary>
    public async Task EachAsync(Func<IDestination, Task> run)
    {
        try
        {
            await foreach (var finished in Task.WhenEach(destinations.Select(run).ToList()))
                await finished;
        }
        catch (ImagePublishException exception) when (destinations.Count > 1)
        {
            var names = string.Join(", ", destinations.Select(destination => destination.Name));
            throw new ImagePublishException(exception.Code, $"{exception.Message} No tag was moved in any of {names}.", exception);
        }
    }

    /// <summary>Puts an index by its digest everywhere. The manifests of its images are there.</summary>
    public Task CommitIndexAsync(MemoryBlobSource index) =>
        Task.WhenAll(destinations.Select(destination => destination.PutManifestAsync(index)));

    /// <summary>Points tags at a manifest or index that is complete everywhere. The first change that others see.</summary>
    public async Task<IReadOnlyList<DestinationResult>> CommitTagsAsync(MemoryBlobSource manifest, IReadOnlyList<Tag> tags)
    {
        await changes.MakeAsync(
            [.. destinations.SelectMany(destination => destination.CreateTagChanges(manifest, tags))],
            cancellationToken
        );
        return await Task.WhenAll(destinations.Select(destination => destination.DescribeAsync(tags)));
    }

    /// <summary>Whether all destinations are names of the local store, and each tag points at the manifest already.</summary>
    /// <remarks>Registries are asked by <see cref="DestinationFactory.AreUpToDateAsync"/>, before anything is built.</remarks>
    public async Task<bool> AreTaggedInStoreAsync(Descriptor manifest, IReadOnlyList<Tag> tags)
    {
        if (tags.Count == 0 || destinations.Exists(destination => destination.Repository is not null))
            return false;
        var current = await Task.WhenAll(destinations.SelectMany(destination => tags.Select(destination.FindTagAsync)));
        return current.All(tagged => tagged?.Digest == manifest.Digest);
    }

    /// <summary>What would become of tags, once everything is committed to destinations that are only measured.</summary>
    public Task<PlannedDestinationResult[]> PlanTagsAsync(
        IReadOnlyList<DestinationResult> results,
        Descriptor manifest,
        Func<DestinationResult, IReadOnlyList<ImageBlob>> blobsOf
    )
    {
        return Task.WhenAll(destinations.Zip(results, PlanAsync));

        async Task<PlannedDestinationResult> PlanAsync(IDestination destination, DestinationResult result)
        {
            var before = await Task.WhenAll(result.Tags.Select(destination.FindTagAsync));
            PlannedTag[] tags = [.. result.Tags.Zip(before, (tag, old) => new PlannedTag(tag, old?.Digest, manifest.Digest))];
            return new PlannedDestinationResult(result, blobsOf(result), tags);
        }
    }

    private static async Task CommitManifestAsync(IDestination destination, Image image)
    {
        await BlobTransfer.ConfirmAsync([
            destination.UploadAsync(image.ConfigBlob),
            .. image.Layers.Select(layer => UploadAsync(destination, layer)),
        ]);
        await destination.PutManifestAsync(image.Manifest);
    }

    // A foreign layer, which has no source, is never moved.
    private static Task<BlobTransfer> UploadAsync(IDestination destination, Layer layer) =>
        layer.Source is { } source ? destination.UploadAsync(source, layer.IsNew) : Task.FromResult(BlobTransfer.Reused);

    public async ValueTask DisposeAsync()
    {
        foreach (var destination in destinations)
            await destination.DisposeAsync();
    }
}
