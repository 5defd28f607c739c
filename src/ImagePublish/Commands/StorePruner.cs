using ImagePublish.Bases;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>Removes names of the local store, with the content that only they need.</summary>
internal sealed class StorePruner(ImageStore store, TimeProvider time)
{
    /// <summary>Chooses old names. Nothing is removed yet.</summary>
    /// <param name="rules">Which: the filter is of whole names, as <c>acme/*</c> or <c>acme/shop:pr-*</c>, and the
    /// rules hold for each repository.</param>
    /// <exception cref="ImagePublish.Diagnostics.ImagePublishException"><c>IMG3103</c>: the list is damaged;
    /// <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<IReadOnlySet<string>> ChooseAsync(TagPruneRules rules, CancellationToken cancellationToken)
    {
        var old = time.GetUtcNow() - rules.MaxAge;
        var repositories = (await store.ListAsync(cancellationToken))
            .Where(image => image.Name is not null)
            .GroupBy(image => StoreNames.Repository(image.Name!), StringComparer.Ordinal);
        var names = repositories.SelectMany(Chosen).Where(image => old is null || image.LastUsed < old).Select(image => image.Name!);
        return names.ToHashSet(StringComparer.Ordinal);

        IEnumerable<StoredImage> Chosen(IGrouping<string, StoredImage> repository)
        {
            // A name that another tool wrote without a tag stays.
            var images = repository
                .Where(image => StoreNames.Tag(image.Name!) is not null)
                .DistinctBy(image => image.Name)
                .ToDictionary(image => StoreNames.Tag(image.Name!)!);
            return rules
                .Select(images.Keys, tag => rules.Filter.MatchesImage(images[tag].Name!), rules.Filter.TagPart)
                .Select(tag => images[tag]);
        }
    }

    /// <summary>Removes one name.</summary>
    /// <exception cref="ImagePublish.Diagnostics.ImagePublishException"><c>IMG3105</c>: there is no such name;
    /// <c>IMG3103</c>, <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult> RemoveAsync(string name, bool dryRun, CancellationToken cancellationToken)
    {
        if (await store.FindReferenceAsync(name, cancellationToken) is null)
            throw LocalImages.NotInStore(store, name);
        return await RemoveAsync(new HashSet<string> { name }, dryRun, cancellationToken);
    }

    /// <summary>Removes names, and the content that only they need.</summary>
    /// <exception cref="ImagePublish.Diagnostics.ImagePublishException"><c>IMG3103</c>: the list is damaged;
    /// <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult> RemoveAsync(IReadOnlySet<string> names, bool dryRun, CancellationToken cancellationToken) =>
        names.Count == 0
            ? new PruneResult()
            : await store.PruneAsync(new PruneOptions { Names = names, DryRun = dryRun }, cancellationToken);
}
