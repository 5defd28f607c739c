using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Storage;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Verbs;

/// <summary>What left the local store, told.</summary>
internal static class StoreItems
{
    /// <summary>Tells people, and makes items.</summary>
    /// <param name="result">What left.</param>
    /// <param name="dryRun">Whether nothing did yet.</param>
    /// <param name="log">The log.</param>
    /// <returns>The items.</returns>
    public static IEnumerable<ITaskItem> Tell(PruneResult result, bool dryRun, IEngineLog log)
    {
        string[] images = [.. result.Images.Select(image => image.Name ?? image.Descriptor.Digest.Value)];
        foreach (var line in PruneTables.OfStore(images, result.Blobs.Count, result.FreedBytes, result.RemainingBytes, dryRun))
            log.Information(line);
        return images.Select(image => VerbItems.Of(image, ("Kind", "Image")))
            .Concat(result.Blobs.Select(blob => VerbItems.Of(blob.Digest.Value, ("Kind", "Blob"), ("Size", blob.Size))));
    }
}
