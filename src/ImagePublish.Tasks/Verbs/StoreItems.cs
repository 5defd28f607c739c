using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Storage;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Reports what is removed from the local store.</summary>
internal static class StoreItems
{
    /// <summary>Lists the images before any is removed.</summary>
    /// <param name="names">Their names.</param>
    /// <param name="dryRun">Whether nothing will be removed.</param>
    /// <param name="log">The log.</param>
    public static void Announce(IReadOnlyCollection<string> names, bool dryRun, IEngineLog log)
    {
        if (dryRun || names.Count == 0)
            return;
        log.Information($"Local store: {names.Count} {(names.Count == 1 ? "image" : "images")} to remove");
        foreach (var name in names)
            log.Information($"  {name}");
    }

    /// <summary>Reports what was removed, and makes items.</summary>
    /// <param name="result">What was removed.</param>
    /// <param name="dryRun">Whether nothing was yet.</param>
    /// <param name="log">The log.</param>
    /// <returns>The items.</returns>
    public static IEnumerable<VerbItem> Tell(PruneResult result, bool dryRun, IEngineLog log)
    {
        string[] images = [.. result.Images.Select(NameOf)];
        foreach (var image in dryRun ? [] : images)
            log.Changed(NameChange.Removed, image);
        foreach (var line in PruneTables.OfStore(images, result.Blobs.Count, result.FreedBytes, result.RemainingBytes, dryRun))
            log.Information(line);
        return images.Select(image => VerbItems.Of(image, ("Kind", "Image")))
            .Concat(result.Blobs.Select(blob => VerbItems.Of(blob.Digest.Value, ("Kind", "Blob"), ("Size", blob.Size))));
    }

    /// <summary>An image's name; its digest where it has none.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The name.</returns>
    public static string NameOf(StoredImage image) => image.Name ?? image.Descriptor.Digest.Value;
}
