using System.Globalization;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Removes what is no longer needed: the local store's cache, or old images of the store or of a registry's repository.</summary>
public sealed class PruneImages : CommandTask
{
    // The bare command must not delete the layers that the next build needs.
    private static readonly TimeSpan KeptCache = TimeSpan.FromDays(7);

    // With an age alone, the last release stays.
    private const int KeptByAge = 1;

    /// <summary>Which tags of a repository, <c>1.*</c>; which images of the store, <c>acme/*</c>.</summary>
    public string? Filter { get; set; }

    /// <summary>How many of the highest versions stay.</summary>
    public string? Keep { get; set; }

    /// <summary>Only what is older is removed: <c>30d</c>, <c>12h</c>.</summary>
    public string? MaxAge { get; set; }

    /// <summary>The bytes that the store may have: <c>10GB</c>.</summary>
    public string? StoreLimit { get; set; }

    /// <summary>Whether damaged content, and images with missing content, are removed.</summary>
    public bool Repair { get; set; }

    /// <summary>Whether to report only what would be removed.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no image was removed";

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var store = OpenStore();
        if (Repair)
        {
            Items = await RepairAsync(store, log, cancellationToken);
            return;
        }

        var target = PruneTarget.Read(this, BuildEngine as IBuildEngine6);
        if (target.Repositories.Count > 0)
            Items = await PruneRegistryAsync(
                target.Repositories,
                ReadRules(new Glob(InputParser.Optional(Filter) ?? "")),
                store,
                log,
                cancellationToken
            );
        else if (target.StoreRepository is not null || ChoosesImages)
            Items = await PruneStoreAsync(ReadRules(StoreFilter(target.StoreRepository)), store, log, cancellationToken);
        else
            Items = await PruneCacheAsync(ReadOptions(), store, log, cancellationToken);
    }

    /// <summary>Whether images are chosen by name or version, rather than the store's cache.</summary>
    internal bool ChoosesImages => InputParser.Optional(Filter) is not null || InputParser.Optional(Keep) is not null;

    private TagPruneRules ReadRules(Glob filter)
    {
        var age = Amounts.ParseAge(MaxAge, "ImageMaxAge");
        if (InputParser.Optional(Keep) is not { } text)
        {
            return age is not null
                ? new TagPruneRules(filter, KeptByAge, age)
                : throw new ImagePublishException(
                    DiagnosticCodes.PruneUnbounded,
                    "PruneImages needs to know how much stays; nothing was removed. Set ImageKeep to the "
                        + "number of versions that stay, for example -p:ImageKeep=10, or ImageMaxAge, for example "
                        + "-p:ImageMaxAge=90d. The target RemoveImage removes a single tag."
                );
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new TagPruneRules(filter, number, age)
            : throw InputParser.Invalid("ImageKeep", text, "expected the number of versions that stay");
    }

    // In the store a filter is of whole names, unless the repository is named: then it is of tags, as in a registry.
    private Glob StoreFilter(string? repository) =>
        new(repository is null ? InputParser.Optional(Filter) ?? "" : $"{repository}:{InputParser.Optional(Filter) ?? "*"}");

    private PruneOptions ReadOptions() =>
        new()
        {
            MaxAge = Amounts.ParseAge(MaxAge, "ImageMaxAge"),
            MaxSize = Amounts.ParseSize(StoreLimit, "ImageStoreLimit"),
            MaxUnreferencedAge = KeptCache,
            DryRun = DryRun,
        };

    private async Task<CommandItem[]> PruneRegistryAsync(
        IReadOnlyList<Oci.Repository> repositories,
        TagPruneRules rules,
        ImageStore store,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var pruner = new TagPruner(Connect(repositories.Select(repository => repository.Registry)).Registries, store, TimeProvider.System);
        var plans = new List<TagPrunePlan>();
        foreach (var repository in repositories)
            plans.Add(await pruner.PlanAsync(repository, rules, cancellationToken));
        // Everything is listed before anything is removed.
        Report(log, plans.SelectMany(plan => PruneTables.OfTags(plan, DryRun)));
        foreach (var plan in plans.Where(plan => !DryRun && plan.Removed.Count > 0))
        {
            await pruner.RemoveAsync(plan, cancellationToken);
            log.Information(PruneTables.Removed(plan));
        }

        return
        [
            .. plans.SelectMany(plan =>
                plan.Removed.Select(tag => CommandItem.Create($"{plan.Repository}:{tag.Tag}", ("Kind", "Tag"), ("Digest", tag.Digest)))
            ),
        ];
    }

    private async Task<CommandItem[]> PruneStoreAsync(
        TagPruneRules rules,
        ImageStore store,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var pruner = new StorePruner(store, TimeProvider.System);
        var names = await pruner.ChooseAsync(rules, cancellationToken);
        StoreRemovals.Announce(names, DryRun, log);
        return [.. StoreRemovals.Report(await pruner.RemoveAsync(names, DryRun, cancellationToken), DryRun, log)];
    }

    private async Task<CommandItem[]> PruneCacheAsync(
        PruneOptions options,
        ImageStore store,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        var removesImages = options.MaxAge is not null || options.MaxSize is not null;
        if (removesImages && !DryRun)
        {
            var planned = await store.PruneAsync(options with { DryRun = true }, cancellationToken);
            StoreRemovals.Announce(planned.Images.Select(StoreRemovals.NameOf).ToList(), DryRun, log);
        }

        return [.. StoreRemovals.Report(await store.PruneAsync(options, cancellationToken), DryRun, log)];
    }

    private async Task<CommandItem[]> RepairAsync(ImageStore store, IPublishLog log, CancellationToken cancellationToken)
    {
        var result = await store.RepairAsync(DryRun, cancellationToken);
        foreach (var image in DryRun ? [] : result.Images)
            log.Changed(NameChange.Removed, image);
        var removed = DryRun ? "would be removed" : "removed";
        var damagedList = result.DamagedList is { } list ? $" The damaged list {(DryRun ? "would be kept as" : "is")} '{list}'." : "";
        log.Information(
            $"Local store: {result.Blobs.Count} damaged blobs and {result.Images.Count} images that lack content {removed}.{damagedList}"
        );
        Report(log, result.Images.Select(image => $"  {image}: publish or copy it again"));
        return
        [
            .. result.Images.Select(image => CommandItem.Create(image, ("Kind", "Image"))),
            .. result.Blobs.Select(blob => CommandItem.Create(blob.Value, ("Kind", "Blob"))),
        ];
    }
}

/// <summary>Reports what is removed from the local store.</summary>
internal static class StoreRemovals
{
    /// <summary>Lists the images before any is removed.</summary>
    public static void Announce(IReadOnlyCollection<string> names, bool dryRun, IPublishLog log)
    {
        if (dryRun || names.Count == 0)
            return;
        log.Information($"Local store: {Text.Count(names.Count, "image")} to remove");
        foreach (var name in names)
            log.Information($"  {name}");
    }

    /// <summary>Reports what was removed, and makes items.</summary>
    public static IEnumerable<CommandItem> Report(PruneResult result, bool dryRun, IPublishLog log)
    {
        string[] images = [.. result.Images.Select(NameOf)];
        foreach (var image in dryRun ? [] : images)
            log.Changed(NameChange.Removed, image);
        foreach (var line in PruneTables.OfStore(images, result.Blobs.Count, result.FreedBytes, result.RemainingBytes, dryRun))
            log.Information(line);
        return images
            .Select(image => CommandItem.Create(image, ("Kind", "Image")))
            .Concat(result.Blobs.Select(blob => CommandItem.Create(blob.Digest.Value, ("Kind", "Blob"), ("Size", blob.Size))));
    }

    /// <summary>An image's name; its digest where it has none.</summary>
    public static string NameOf(StoredImage image) => image.Name ?? image.Descriptor.Digest.Value;
}
