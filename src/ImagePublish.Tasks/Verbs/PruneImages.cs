using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;
using ImagePublish.Storage;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Tidies up: the local store's cache; with a pattern or a number to keep, the names of a registry or of the store.</summary>
public sealed class PruneImages : VerbTask
{
    // Nobody types the bare verb to lose the layers that the next build needs.
    private static readonly TimeSpan KeptCache = TimeSpan.FromDays(7);

    /// <summary>Which tags of a registry, <c>1.*</c>; which images of the store, <c>acme/*</c>.</summary>
    public string? Filter { get; set; }

    /// <summary>How many of them stay, the highest versions.</summary>
    public string? Keep { get; set; }

    /// <summary>What was not used, or not made, for so long may go: <c>30d</c>, <c>12h</c>.</summary>
    public string? MaxAge { get; set; }

    /// <summary>The bytes that the store may have: <c>10GB</c>.</summary>
    public string? StoreLimit { get; set; }

    /// <summary>Whether damaged content, and images that lack content, are removed.</summary>
    public bool Repair { get; set; }

    /// <summary>Whether to tell only.</summary>
    public bool DryRun { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var names = new VerbNames(this);
        var store = OpenStore();
        Results = [.. (Repair, ChoosesTags, names.Destinations.Count > 0) switch
        {
            (true, _, _) => await RepairAsync(store, log, cancellationToken),
            (_, true, true) => await PruneTagsAsync(names, store, log, cancellationToken),
            (_, true, false) => TellStore(await new StorePruner(store, TimeProvider.System).PruneAsync(ReadRules(), DryRun, cancellationToken), log),
            _ => TellStore(await store.PruneAsync(ReadOptions(), cancellationToken), log),
        }];
    }

    private bool ChoosesTags => Lists.Optional(Filter) is not null || Lists.Optional(Keep) is not null;

    private TagPruneRules ReadRules()
    {
        var keep = Lists.Optional(Keep) is not { } text ? 0
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw Lists.Invalid("ImageKeep", text, "expected the number of tags that stay");
        return new TagPruneRules(new Glob(Lists.Optional(Filter) ?? ""), keep, Amounts.Age(MaxAge, "ImageMaxAge"));
    }

    private PruneOptions ReadOptions() => new()
    {
        MaxAge = Amounts.Age(MaxAge, "ImageMaxAge"),
        MaxSize = Amounts.Size(StoreLimit, "ImageStoreLimit"),
        MaxUnreferencedAge = KeptCache,
        DryRun = DryRun,
    };

    private async Task<IEnumerable<ITaskItem>> PruneTagsAsync(VerbNames names, ImageStore store, IEngineLog log, CancellationToken cancellationToken)
    {
        var rules = ReadRules();
        var pruner = new TagPruner(Connect(names.Registries).Registries, store, TimeProvider.System);
        var items = new List<ITaskItem>();
        foreach (var repository in names.Destinations)
        {
            var result = await pruner.PruneAsync(repository, rules, DryRun, cancellationToken);
            Tell(log, PruneTables.OfTags(result, DryRun));
            items.AddRange(result.Removed.Select(tag => VerbItems.Of($"{repository}:{tag.Tag}", ("Kind", "Tag"), ("Digest", tag.Digest))));
        }

        return items;
    }

    private IEnumerable<ITaskItem> TellStore(PruneResult result, IEngineLog log) => StoreItems.Tell(result, DryRun, log);

    private async Task<IEnumerable<ITaskItem>> RepairAsync(ImageStore store, IEngineLog log, CancellationToken cancellationToken)
    {
        var result = await store.RepairAsync(DryRun, cancellationToken);
        log.Information($"Local store: {result.Blobs.Count} damaged blobs and {result.Images.Count} images that lack content {(DryRun ? "would go" : "removed")}."
            + (result.DamagedList is { } list ? $" The damaged list {(DryRun ? "would be kept as" : "is")} '{list}'." : ""));
        Tell(log, result.Images.Select(image => $"  {image}: publish or copy it again"));
        return result.Images.Select(image => VerbItems.Of(image, ("Kind", "Image"))).Concat(result.Blobs.Select(blob => VerbItems.Of(blob.Value, ("Kind", "Blob"))));
    }
}
