using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Verbs;

/// <summary>Removes names of the local store, with the content that only they need.</summary>
/// <param name="store">The local store.</param>
/// <param name="time">The clock.</param>
public sealed class StorePruner(ImageStore store, TimeProvider time)
{
    /// <summary>Removes old names.</summary>
    /// <param name="rules">Which: the filter is of whole names, as <c>acme/*</c>, and so many tags of each repository stay.</param>
    /// <param name="dryRun">Only decides.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What went, or would.</returns>
    /// <exception cref="ImagePublish.Diagnostics.ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult> PruneAsync(TagPruneRules rules, bool dryRun, CancellationToken cancellationToken)
    {
        var old = time.GetUtcNow() - rules.MaxAge;
        var repositories = (await store.ListAsync(cancellationToken)).Where(image => image.Name is not null && rules.Filter.MatchesImage(image.Name)).GroupBy(image => StoreNames.Repository(image.Name!));
        var names = repositories
            .SelectMany(images => images.OrderByDescending(image => Tag.TryParse(StoreNames.Tag(image.Name!), out var tag) ? tag : null, TagOrder.Instance).Skip(rules.Keep))
            .Where(image => old is null || image.LastUsed < old)
            .Select(image => image.Name!);
        return await RemoveAsync(names.ToHashSet(StringComparer.Ordinal), dryRun, cancellationToken);
    }

    /// <summary>Removes one name.</summary>
    /// <param name="name">The name, with its tag.</param>
    /// <param name="dryRun">Only decides.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What went, or would.</returns>
    /// <exception cref="ImagePublish.Diagnostics.ImagePublishException"><c>IMG3105</c>: there is no such name; <c>IMG3103</c>, <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult> RemoveAsync(string name, bool dryRun, CancellationToken cancellationToken)
    {
        if (await store.FindReferenceAsync(name, cancellationToken) is null)
            throw ImageSources.NotInStore(store, name);
        return await RemoveAsync([name], dryRun, cancellationToken);
    }

    private async Task<PruneResult> RemoveAsync(HashSet<string> names, bool dryRun, CancellationToken cancellationToken) =>
        names.Count == 0 ? new PruneResult() : await store.PruneAsync(new PruneOptions { Names = names, DryRun = dryRun }, cancellationToken);
}
