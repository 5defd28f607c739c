using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Destinations;

/// <summary>All the places that an image goes to. Every one has the whole image before the first tag moves anywhere.</summary>
internal sealed class DestinationSet(IEnumerable<IDestination> places, TagChanges changes, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private readonly List<IDestination> places = [.. places];

    /// <summary>Begins to move layers to every place.</summary>
    public void StartUploads(IEnumerable<Layer> layers)
    {
        foreach (var layer in layers)
        {
            foreach (var place in places)
                place.StartUpload(layer);
        }
    }

    /// <summary>Whether every place had the image's config and all layers that were begun.</summary>
    public async Task<bool> HadAllBlobsAsync(Image image)
    {
        foreach (var place in places)
        {
            if (!await place.HadAllBlobsAsync(image))
                return false;
        }

        return true;
    }

    /// <summary>Completes an image everywhere, then tags it everywhere.</summary>
    /// <param name="check">The last that may still refuse the image: it is complete everywhere, and no tag has moved.</param>
    public async Task<IReadOnlyList<DestinationResult>> DeliverAsync(Image image, IReadOnlyList<Tag> tags, Func<Task> check)
    {
        var totals = await CompleteAsync(image);
        await check();
        return await TagAsync(image.Manifest, tags, totals);
    }

    /// <summary>Puts an index everywhere, then tags it everywhere.</summary>
    public async Task<IReadOnlyList<DestinationResult>> DeliverAsync(
        MemoryBlobSource index,
        IReadOnlyList<Image> images,
        IReadOnlyList<Tag> tags
    )
    {
        var totals = new TransferTotals[places.Count];
        // A place counts everything that it was ever given.
        foreach (var image in images)
            totals = await CompleteAsync(image);
        await Task.WhenAll(places.Select(place => place.PutIndexAsync(index)));
        return await TagAsync(index, tags, totals);
    }

    private async Task<TransferTotals[]> CompleteAsync(Image image)
    {
        var completions = places.Select(place => place.CompleteAsync(image)).ToList();
        try
        {
            await foreach (var finished in Task.WhenEach(completions))
                await finished;
        }
        catch (ImagePublishException exception) when (places.Count > 1)
        {
            throw new ImagePublishException(exception.Code, $"{exception.Message} No tag was moved in any of {Names(places)}.", exception);
        }

        return await Task.WhenAll(completions);
    }

    private async Task<IReadOnlyList<DestinationResult>> TagAsync(
        MemoryBlobSource manifest,
        IReadOnlyList<Tag> tags,
        TransferTotals[] totals
    )
    {
        await changes.MakeAsync([.. places.SelectMany(place => place.Tagging(manifest, tags))], cancellationToken);
        return await Task.WhenAll(places.Zip(totals, (place, total) => place.DescribeAsync(tags, total)));
    }

    private static string Names(IEnumerable<IDestination> some) =>
        some.Any() ? string.Join(", ", some.Select(place => place.Name)) : "none";

    public async ValueTask DisposeAsync()
    {
        foreach (var place in places)
            await place.DisposeAsync();
    }
}
