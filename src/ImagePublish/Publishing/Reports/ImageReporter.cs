using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Reports;

/// <summary>Looks into images, for a report: layers of elsewhere are read once and then remembered by the names and sizes of their files.</summary>
internal sealed class ImageReporter(ImageStore store, IPublishLog log)
{
    private readonly BaseFiles listings = new(store, log);

    /// <summary>Looks into an image that was published.</summary>
    public async Task<ImageReport> DescribeAsync(
        PublishRequest request,
        PublishRun run,
        (string Name, Image Image)? current,
        CancellationToken cancellationToken
    )
    {
        var below = run.Base.Layers.Count;
        var budget = LayerReader.NewBudget();
        // A layer of packages that was found by their names has no files at hand.
        var lists = await Task.WhenAll(
            run.Result.Image.Layers.Select(
                (layer, at) =>
                    at < below || run.Contents[at - below].Entries.Count == 0
                        ? ListAsync(layer, budget, cancellationToken)
                        : LayerListing.OfAsync(run.Contents[at - below], cancellationToken)
            )
        );
        return await DescribeAsync(
            run.Result,
            new ReportBase(run.Base.Name, run.Base.Digest, below, run.Base.Config),
            lists,
            PackagesByPath(request, run),
            current,
            cancellationToken
        );
    }

    /// <summary>Looks into an image that was published elsewhere and joined into an index: all that is known of it is what it says itself.</summary>
    public async Task<ImageReport> DescribeAsync(
        JoinedImage joined,
        IReadOnlyList<DestinationResult> deliveries,
        CancellationToken cancellationToken
    )
    {
        var image = joined.Image;
        var budget = LayerReader.NewBudget();
        var lists = await Task.WhenAll(image.Layers.Select(layer => ListAsync(layer, budget, cancellationToken)));
        var labels = image.Config.Config?.Labels;
        var digest = Digest.TryParse(labels?.GetValueOrDefault(ImageLabels.BaseDigest), out var known) ? known : null;
        var below = joined.LayerNames.TakeWhile(name => name == PublishResult.BaseLayer).Count();
        var result = new PublishResult(image, deliveries) { LayerNames = joined.LayerNames };
        return await DescribeAsync(
            result,
            new ReportBase(labels?.GetValueOrDefault(ImageLabels.BaseName), digest, below, null),
            lists,
            [],
            joined.Before,
            cancellationToken
        );
    }

    private async Task<ImageReport> DescribeAsync(
        PublishResult result,
        ReportBase baseImage,
        LayerListing[] lists,
        Dictionary<string, string> packages,
        (string Name, Image Image)? current,
        CancellationToken cancellationToken
    )
    {
        var image = result.Image;
        var names = (image.Config.History ?? []).Where(entry => entry.EmptyLayer != true).Select(entry => entry.CreatedBy).ToList();
        var layers = image.Layers.Select(
            (layer, at) =>
                new ReportLayer(
                    layer,
                    at < baseImage.Layers ? names.ElementAtOrDefault(at) ?? "layer" : result.LayerNames[at],
                    IsOfBase: at < baseImage.Layers,
                    result.Deliveries[0].Blobs.GetValueOrDefault(layer.Descriptor.Digest) ?? BlobTransfer.Reused,
                    [
                        .. from entry in lists[at].Entries
                        where entry.Kind == LayerEntryInfoKind.File && !entry.IsWhiteout
                        select new ReportFile(entry.Path, entry.Length, packages.GetValueOrDefault(entry.Path)),
                    ]
                )
        );
        return new ImageReport(
            result,
            baseImage,
            [.. layers],
            current is var (name, before) ? await CompareAsync(image, lists, name, before, cancellationToken) : null
        );
    }

    // A layer that can't be read is no reason to fail: the image is published.
    private async Task<LayerListing> ListAsync(Layer layer, ContentBudget budget, CancellationToken cancellationToken)
    {
        try
        {
            return layer.Source is null ? LayerListing.Empty : await listings.ListAsync(layer, budget, cancellationToken);
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"The report has no files of layer {layer.Descriptor.Digest}: {exception.Message}");
            return LayerListing.Empty;
        }
    }

    // Layers that both have need not be read again. The image that was there may be anybody's: what it is must not fail a publish that is done.
    private async Task<ImageDifferences?> CompareAsync(
        Image image,
        IReadOnlyList<LayerListing> lists,
        string name,
        Image before,
        CancellationToken cancellationToken
    )
    {
        var budget = LayerReader.NewBudget();
        var known = image
            .Layers.Zip(lists)
            .DistinctBy(pair => pair.First.DiffId)
            .ToDictionary(pair => pair.First.DiffId, pair => pair.Second);
        var old = await Task.WhenAll(
            before.Layers.Select(layer =>
                known.TryGetValue(layer.DiffId, out var list) ? Task.FromResult(list) : ListAsync(layer, budget, cancellationToken)
            )
        );
        try
        {
            return ImageComparison.Compare(name, before, new BaseFileSystem(old), image, new BaseFileSystem(lists));
        }
        catch (ImagePublishException exception)
        {
            log.Detail($"The report does not compare the image with {name}: {exception.Message}");
            return null;
        }
    }

    private static Dictionary<string, string> PackagesByPath(PublishRequest request, PublishRun run)
    {
        var packages = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in request.Items.Where(item => item.Package is not null))
            packages[item.RelativePath.Replace('\\', '/').TrimStart('/')] = item.Package!;
        return run
            .Contents.SelectMany(content => content.Entries)
            .Where(entry => entry.PublishPath is { } path && packages.ContainsKey(path))
            .DistinctBy(entry => entry.Path)
            .ToDictionary(entry => entry.Path, entry => packages[entry.PublishPath!], StringComparer.Ordinal);
    }
}
