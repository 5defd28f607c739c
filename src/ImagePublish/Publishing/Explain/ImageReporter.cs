using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing.Explain;

/// <summary>
/// Describes images down to their files, for a report. Layers of registries are read once, and then remembered by the names and sizes of
/// their files.
/// </summary>
internal sealed class ImageReporter(PublishContext context, EarlyLayerBuild? earlyBuild = null)
{
    private readonly BaseFiles listings = new(context.Store, context.Log);

    /// <summary>Publishes an image that is described afterwards.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<ImageRun> PublishAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        // Before a tag moves.
        var current = await new CurrentImages(context).FindAsync(request, cancellationToken);
        await using var output = PublishOutput.Open(context, request, cancellationToken);
        return new ImageRun(await new ImagePublisher(context, earlyBuild).RunAsync(request, output, cancellationToken), current);
    }

    public async Task<ImageReport> DescribeAsync(ImageRun described, CancellationToken cancellationToken)
    {
        var run = described.Publish;
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
        var baseImage = new ReportBase(run.Base.Name, run.Base.Digest, below - run.Base.TakenLayers.Count, run.Base.Config);
        var differences = await CompareAsync(run.Result.Image, lists, described.Current, cancellationToken);
        return new ImageReport(run.Result, baseImage, DescribeLayers(run.Result, baseImage, lists, PackagesByPath(run)), differences);
    }

    /// <summary>Describes the images of an index that were published elsewhere. All that is known of them is in themselves.</summary>
    public async Task<IReadOnlyList<ImageReport>> DescribeJoinedAsync(IndexResult index, CancellationToken cancellationToken) =>
        await Task.WhenAll(index.Joined.Select(image => DescribeAsync(image, index.Deliveries, cancellationToken)));

    private async Task<ImageReport> DescribeAsync(
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
        var baseImage = new ReportBase(labels?.GetValueOrDefault(ImageLabels.BaseName), digest, below, null);
        var result = new PublishResult(image, deliveries) { LayerNames = joined.LayerNames };
        var differences = await CompareAsync(image, lists, joined.Before, cancellationToken);
        return new ImageReport(result, baseImage, DescribeLayers(result, baseImage, lists, []), differences);
    }

    private static List<ReportLayer> DescribeLayers(
        PublishResult result,
        ReportBase baseImage,
        LayerListing[] lists,
        Dictionary<string, string> packages
    )
    {
        var image = result.Image;
        var names = (image.Config.History ?? []).Where(entry => entry.EmptyLayer != true).Select(entry => entry.CreatedBy).ToList();
        var taken = ImageComposer.TakenLayers(image.Config).Select(layer => layer.DiffId).ToHashSet();
        var layers = new List<ReportLayer>();
        for (var index = 0; index < image.Layers.Count; index++)
        {
            var layer = image.Layers[index];
            var isOfBase = index < baseImage.Layers;
            var name = isOfBase ? names.ElementAtOrDefault(index) ?? "layer" : result.LayerNames[index];
            var transfer = result.Deliveries[0].Blobs.GetValueOrDefault(layer.Descriptor.Digest) ?? BlobTransfer.Reused;
            var files =
                from entry in lists[index].Entries
                where entry.Kind == LayerEntryInfoKind.File && !entry.IsWhiteout
                select new ReportFile(entry.Path, entry.Length, packages.GetValueOrDefault(entry.Path));
            layers.Add(
                new ReportLayer(layer, name, isOfBase, transfer, [.. files]) { IsTaken = !isOfBase && taken.Contains(layer.DiffId) }
            );
        }

        return layers;
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
            context.Log.Detail($"The report has no files of layer {layer.Descriptor.Digest}: {exception.Message}");
            return LayerListing.Empty;
        }
    }

    // Layers that both have need not be read again. The image that was there may be malformed: that must not fail a publish that is done.
    private async Task<ImageDifferences?> CompareAsync(
        Image image,
        IReadOnlyList<LayerListing> lists,
        CurrentImage? current,
        CancellationToken cancellationToken
    )
    {
        if (current is not var (name, before))
            return null;
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
            context.Log.Detail($"The report does not compare the image with {name}: {exception.Message}");
            return null;
        }
    }

    private static Dictionary<string, string> PackagesByPath(PublishRun run)
    {
        var packages = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in run.Request.Items.Where(item => item.Package is not null))
            packages[item.RelativePath.Replace('\\', '/').TrimStart('/')] = item.Package!;
        return run
            .Contents.SelectMany(content => content.Entries)
            .Where(entry => entry.PublishPath is { } path && packages.ContainsKey(path))
            .DistinctBy(entry => entry.Path)
            .ToDictionary(entry => entry.Path, entry => packages[entry.PublishPath!], StringComparer.Ordinal);
    }
}
