using ImagePublish.Oci;
using ImagePublish.Publishing.Verbs;

namespace ImagePublish.Publishing;

/// <summary>Which images in registries are likely to share layers with the one that is published.</summary>
/// <param name="Platform">The platform that it is for.</param>
/// <param name="Likely">Named by the user, or the tags that are about to be moved and <c>latest</c>.</param>
/// <param name="Repositories">Whose newest tags are looked at when none of those exists.</param>
internal sealed record EarlierImages(Platform Platform, IReadOnlyList<Reference> Likely, IReadOnlyList<Repository> Repositories)
{
    /// <summary>How many tags of a repository are listed at the most.</summary>
    public const int MaxListed = 10_000;

    private const int MaxNewest = 3;

    /// <summary>Where to look for a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="areNone">Whether its repositories are known to be empty.</param>
    /// <returns>The images.</returns>
    public static EarlierImages Of(PublishRequest request, bool areNone)
    {
        var platform = request.Spec.Platform;
        if (request.CacheFrom is null)
            return new EarlierImages(platform, [], []);
        if (request.CacheFrom.Count > 0)
            return new EarlierImages(platform, request.CacheFrom, []);

        // What an image says without being believed is of no use here: whether the destination has a blob is asked when it is pushed.
        IReadOnlyList<Repository> believed = areNone ? [] : [.. request.Destinations.Where(request.CacheTrust.MayBelieve)];
        var latest = Tag.Parse("latest");
        var likely = believed.SelectMany(repository => request.Tags.Append(latest).Select(repository.At)).Distinct();
        return new EarlierImages(platform, [.. likely], believed);
    }

    /// <summary>The few tags that look newest: the highest versions, prereleases too, else the highest numbers in names. Registries list tags without times.</summary>
    /// <param name="tags">All tags.</param>
    /// <returns>At most three.</returns>
    public static IEnumerable<Tag> Newest(IEnumerable<Tag> tags) => TagOrder.Sort(tags, tag => tag).Take(MaxNewest);
}
