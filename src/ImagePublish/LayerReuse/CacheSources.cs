using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>Which images in registries are likely to share layers with the one that is published.</summary>
internal sealed record CacheSources(Platform Platform, IReadOnlyList<Reference> Likely, IReadOnlyList<Repository> Repositories)
{
    /// <summary>How many tags of a repository are listed at the most.</summary>
    public const int MaxListed = 10_000;

    private const int MaxNewest = 3;

    /// <summary>Where to look for a request.</summary>
    public static CacheSources Create(PublishRequest request, bool areNone)
    {
        var platform = request.Spec.Platform;
        if (request.CacheFrom is null)
            return new CacheSources(platform, [], []);
        if (request.CacheFrom.Count > 0)
            return new CacheSources(platform, request.CacheFrom, []);

        // What an image says without being believed is of no use here: whether the destination has a blob is asked when it is pushed.
        IReadOnlyList<Repository> believed = areNone ? [] : [.. request.Destinations.Where(request.CacheTrust.MayBelieve)];
        var latest = Tag.Parse("latest");
        var likely = believed.SelectMany(repository => request.Tags.Append(latest).Select(repository.ReferenceTo)).Distinct();
        return new CacheSources(platform, [.. likely], believed);
    }

    /// <summary>The few tags that look newest: the highest versions, prereleases too, else the highest numbers in names. Registries list tags without times.</summary>
    public static IEnumerable<Tag> Newest(IEnumerable<Tag> tags) => TagOrder.Sort(tags, tag => tag).Take(MaxNewest);
}
