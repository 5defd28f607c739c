using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Storage;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reports what is removed from the local store.</summary>
internal static class StoreItems
{
    /// <summary>Lists the images before any is removed.</summary>
    public static void Announce(IReadOnlyCollection<string> names, bool dryRun, IPublishLog log)
    {
        if (dryRun || names.Count == 0)
            return;
        log.Information($"Local store: {names.Count} {(names.Count == 1 ? "image" : "images")} to remove");
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
            .Select(image => CommandItems.Of(image, ("Kind", "Image")))
            .Concat(result.Blobs.Select(blob => CommandItems.Of(blob.Digest.Value, ("Kind", "Blob"), ("Size", blob.Size))));
    }

    /// <summary>An image's name; its digest where it has none.</summary>
    public static string NameOf(StoredImage image) => image.Name ?? image.Descriptor.Digest.Value;
}
