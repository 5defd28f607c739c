using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>Which images in registries are likely to share layers with the one that is published.</summary>
/// <param name="Repositories">Repositories whose newest tags are looked at if none of the likely images has a layer.</param>
internal sealed record CacheSources(
    Platform Platform,
    IReadOnlyList<Reference> Likely,
    IReadOnlyList<Repository> Repositories,
    CacheTrust Trust
)
{
    public const int MaxListed = 10_000;

    private const int MaxNewest = 3;

    public static CacheSources Create(PublishRequest request, bool areEmpty)
    {
        var none = new CacheSources(request.Spec.Platform, [], [], request.CacheTrust);
        if (request.CacheFrom is null)
            return none;
        if (request.CacheFrom.Count > 0)
            return none with { Likely = request.CacheFrom };

        // An image that is not trusted is of no use here: whether the destination has a blob is asked when it is pushed.
        IReadOnlyList<Repository> trusted = areEmpty ? [] : [.. request.Destinations.Where(request.CacheTrust.MayBelieve)];
        var latest = Tag.Parse("latest");
        var likely = trusted.SelectMany(repository => request.Tags.Append(latest).Select(repository.ReferenceTo)).Distinct();
        return none with { Likely = [.. likely], Repositories = trusted };
    }

    /// <summary>
    /// The few tags that look newest: the highest versions, prereleases too, else the highest numbers in names. Registries list tags
    /// without times.
    /// </summary>
    public static IEnumerable<Tag> Newest(IEnumerable<Tag> tags) => TagOrder.Sort(tags, tag => tag).Take(MaxNewest);
}
