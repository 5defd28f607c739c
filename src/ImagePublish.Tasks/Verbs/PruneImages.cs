using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;
using ImagePublish.Storage;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Tidies up: the local store; with a pattern or a number to keep, a registry's tags.</summary>
public sealed class PruneImages : VerbTask
{
    /// <summary>Which tags of a registry: <c>1.*</c>.</summary>
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
    protected override async Task ExecuteAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var names = new VerbNames(this);
        var store = OpenStore();
        if (Lists.Optional(Filter) is null && Lists.Optional(Keep) is null)
            Results = [.. Repair ? await RepairAsync(store, log, cancellationToken) : await PruneAsync(store, log, cancellationToken)];
        else if (names.Destinations.Count > 0)
            Results = [.. await PruneTagsAsync(names, store, log, cancellationToken)];
        else
            throw new ImagePublishException(DiagnosticCodes.PropertyMissing, "ImageFilter and ImageKeep choose among a registry's tags: set ImageRegistry and ImageRepository, or ImageName. Without them the local store is pruned.");
    }

    private async Task<IEnumerable<ITaskItem>> PruneTagsAsync(VerbNames names, ImageStore store, IEngineLog log, CancellationToken cancellationToken)
    {
        var keep = Lists.Optional(Keep) is not { } text ? 0
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw Lists.Invalid("ImageKeep", text, "expected the number of tags that stay");
        var rules = new TagPruneRules(new Glob(Lists.Optional(Filter) ?? ""), keep, Amounts.Age(MaxAge, "ImageMaxAge"));
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

    private async Task<IEnumerable<ITaskItem>> PruneAsync(ImageStore store, IEngineLog log, CancellationToken cancellationToken)
    {
        var options = new PruneOptions { Unreferenced = true, MaxAge = Amounts.Age(MaxAge, "ImageMaxAge"), MaxSize = Amounts.Size(StoreLimit, "ImageStoreLimit"), DryRun = DryRun };
        var result = await store.PruneAsync(options, cancellationToken);
        string[] images = [.. result.Images.Select(image => image.Name ?? image.Descriptor.Digest.Value)];
        Tell(log, PruneTables.OfStore(images, result.Blobs.Count, result.FreedBytes, result.RemainingBytes, DryRun));
        return images.Select(image => VerbItems.Of(image, ("Kind", "Image")))
            .Concat(result.Blobs.Select(blob => VerbItems.Of(blob.Digest.Value, ("Kind", "Blob"), ("Size", blob.Size))));
    }

    private async Task<IEnumerable<ITaskItem>> RepairAsync(ImageStore store, IEngineLog log, CancellationToken cancellationToken)
    {
        var result = await store.RepairAsync(DryRun, cancellationToken);
        log.Information($"Local store: {result.Blobs.Count} damaged blobs and {result.Images.Count} images that lack content {(DryRun ? "would go" : "removed")}."
            + (result.DamagedList is { } list ? $" The damaged list {(DryRun ? "would be kept as" : "is")} '{list}'." : ""));
        Tell(log, result.Images.Select(image => $"  {image}: publish or copy it again"));
        return result.Images.Select(image => VerbItems.Of(image, ("Kind", "Image"))).Concat(result.Blobs.Select(blob => VerbItems.Of(blob.Value, ("Kind", "Blob"))));
    }
}
