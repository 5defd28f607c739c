using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Repositories;

/// <summary>The files of the newest images of a repository. A layer that several of them have is there once.</summary>
/// <param name="Newest">How many images, the newest, they were asked of.</param>
/// <param name="Images">Of an index, each platform's image.</param>
/// <param name="LeftOut">How many such images have no files: there would be too many, or a layer can't be read.</param>
internal sealed record RepositoryFiles(
    int Newest,
    IReadOnlyDictionary<Digest, LayerFiles> Layers,
    IReadOnlyList<VisibleFiles> Images,
    int LeftOut
);

/// <summary>The files and links of a layer, by its blob.</summary>
internal sealed record LayerFiles(IReadOnlyList<LayerEntryInfo> Entries);

/// <summary>Which files of its layers an image has.</summary>
/// <param name="Hidden">For each layer, from the bottom up, the positions of the files that a layer above removes or replaces.</param>
internal sealed record VisibleFiles(Digest Manifest, IReadOnlyList<IReadOnlyList<int>> Hidden);

/// <summary>Lists the files of images, of each for all its platforms. Layers are read once, and then remembered by their files.</summary>
internal sealed class RepositoryFileReader(PublishContext context)
{
    /// <summary>Of how many images, the newest, files can be read.</summary>
    public const int MaxImages = 50;

    // Some ten megabytes of a page, which a browser still opens at once.
    private const int MaxFiles = 200_000;

    private readonly BaseFiles listings = new(context.Store, context.Log);
    private readonly Dictionary<Digest, LayerFiles> layers = [];
    private readonly List<VisibleFiles> images = [];

    /// <summary>Lists the files of images. One that can't be read is left out.</summary>
    public async Task<RepositoryFiles> ReadAsync(
        RepositorySource source,
        IReadOnlyList<RepositoryImage> wanted,
        CancellationToken cancellationToken
    )
    {
        var leftOut = 0;
        // Where there are too many, the first platform of an older image is wanted more than the second one of a newer.
        var platforms = wanted
            .SelectMany(image => image.Image.Platforms.Select((platform, position) => (image, platform, position)))
            .OrderBy(one => one.position)
            .DistinctBy(one => one.platform.Descriptor.Digest);
        foreach (var (image, platform, _) in platforms)
        {
            try
            {
                if (
                    await source.OpenAsync(image.Image.Root, cancellationToken) is not { } content
                    || !await AddAsync(content, platform, cancellationToken)
                )
                    leftOut++;
            }
            catch (ImagePublishException exception)
            {
                leftOut++;
                context.Log.Detail(
                    $"The page has no files of {source.Name}:{image.Tags[0]} for {platform.Config.Platform}: {exception.Message}"
                );
            }
        }

        return new RepositoryFiles(wanted.Count, layers, images, leftOut);
    }

    private async Task<bool> AddAsync(IImageContent content, InspectedPlatform platform, CancellationToken cancellationToken)
    {
        var (blobs, diffIds) = (platform.Manifest.Layers, platform.Config.RootFs.DiffIds);
        if (blobs.Count != diffIds.Count)
            return false;
        var budget = LayerReader.NewBudget();
        var lists = await Task.WhenAll(
            blobs.Zip(diffIds, (blob, diffId) =>
                MediaTypes.IsForeign(blob.MediaType)
                    ? Task.FromResult(LayerListing.Empty)
                    : listings.ListAsync(new Layer(blob, diffId, content.Blob(blob)), budget, cancellationToken)
            )
        );
        var files = lists.Select(list => list.Entries.Where(IsFile).ToList()).ToList();
        var added = blobs.Zip(files).Where(one => !layers.ContainsKey(one.First.Digest)).Sum(one => one.Second.Count);
        if (layers.Values.Sum(layer => layer.Entries.Count) + added > MaxFiles)
            return false;
        var visible = new BaseFileSystem(lists, budget).All().ToHashSet(ReferenceEqualityComparer.Instance);
        images.Add(
            new VisibleFiles(
                platform.Descriptor.Digest,
                [.. files.Select(layer => Enumerable.Range(0, layer.Count).Where(at => !visible.Contains(layer[at])).ToList())]
            )
        );
        foreach (var (blob, list) in blobs.Zip(files))
            layers.TryAdd(blob.Digest, new LayerFiles(list));
        return true;
    }

    private static bool IsFile(LayerEntryInfo entry) => entry.Kind != LayerEntryInfoKind.Directory && !entry.IsWhiteout;
}
