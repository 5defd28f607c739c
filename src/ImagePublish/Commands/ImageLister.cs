using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>A repository's tags.</summary>
internal sealed record TagList(string Repository, int Total, IReadOnlyList<TagDetails> Tags);

/// <summary>What a tag points at.</summary>
internal sealed record TagDetails(Tag Tag)
{
    /// <summary>The image or index; null where it can't be read.</summary>
    public Descriptor? Descriptor { get; init; }

    public string? Created { get; init; }

    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    public long Size { get; init; }
}

/// <summary>An image of the local store.</summary>
internal sealed record ListedImage(
    string? Name,
    Descriptor Descriptor,
    IReadOnlyList<Platform> Platforms,
    string? Created,
    long Size,
    bool IsWhole
);

/// <summary>Lists the tags of repositories and the images of the local store. Details are fetched only for those that are shown.</summary>
internal sealed class ImageLister(RegistryClient registries, ImageStore store, IPublishLog log)
{
    private const int MaxConcurrency = 8;
    private readonly ImageInspector inspector = new(registries, store);

    /// <summary>Lists a repository's tags.</summary>
    /// <exception cref="ImagePublishException">What the registry fails with.</exception>
    public async Task<TagList> ListTagsAsync(Repository repository, Glob filter, int limit, CancellationToken cancellationToken)
    {
        var all = await registries
            .ListTagsAsync(repository, cancellationToken)
            .Where(tag => filter.Matches(tag.Value))
            .ToListAsync(cancellationToken);
        all = [.. TagOrder.Sort(all, tag => tag)];
        var shown = new TagDetails[limit > 0 ? Math.Min(limit, all.Count) : all.Count];
        await Parallel.ForAsync(
            0,
            shown.Length,
            new ParallelOptions { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken },
            async (at, stop) => shown[at] = await DescribeAsync(repository.ReferenceTo(all[at]), stop)
        );
        return new TagList(repository.ToString(), all.Count, shown);
    }

    /// <summary>Lists the tags of a name in the local store.</summary>
    /// <exception cref="ImagePublishException">What the store fails with.</exception>
    public async Task<TagList> ListTagsAsync(string name, Glob filter, int limit, CancellationToken cancellationToken)
    {
        var found =
            from image in await ListImagesAsync(store, Glob.All, cancellationToken)
            where image.Name is not null && StoreNames.Repository(image.Name!) == name
            let tag = Tag.TryParse(StoreNames.Tag(image.Name!), out var parsed) ? parsed : null
            where tag is not null && filter.Matches(tag.Value)
            select new TagDetails(tag)
            {
                Descriptor = image.Descriptor,
                Created = image.Created,
                Platforms = image.Platforms,
                Size = image.Size,
            };
        var all = TagOrder.Sort(found, details => details.Tag).ToList();
        return new TagList(name, all.Count, limit > 0 ? [.. all.Take(limit)] : all);
    }

    public static async Task<IReadOnlyList<ListedImage>> ListImagesAsync(
        ImageStore store,
        Glob filter,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await store.ListAsync(cancellationToken))
                .Where(image => image.Name is { } name ? filter.MatchesImage(name) : filter == Glob.All)
                .Select(image => new ListedImage(image.Name, image.Descriptor, image.Platforms, image.Created, image.Size, image.IsWhole)),
        ];

    // A tag that can't be read, or that is no image, is listed with what is known.
    private async Task<TagDetails> DescribeAsync(Reference reference, CancellationToken cancellationToken)
    {
        var known = new TagDetails(reference.Tag!);
        try
        {
            var image = await inspector.InspectAsync(new RegistryImage(reference), cancellationToken);
            return known with
            {
                Descriptor = image.Root,
                Created = image.Created,
                Platforms = [.. image.Platforms.Select(platform => platform.Config.Platform)],
                Size = image.Size,
            };
        }
        catch (Exception exception) when (exception is ImagePublishException or JsonException)
        {
            log.Detail($"'{reference}' can't be described: {exception.Message}");
            return known;
        }
    }
}
