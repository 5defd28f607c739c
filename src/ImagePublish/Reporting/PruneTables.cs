using System.Globalization;
using ImagePublish.Publishing.Verbs;

namespace ImagePublish.Reporting;

/// <summary>What a prune removed, for people.</summary>
public static class PruneTables
{
    /// <summary>A repository's tags.</summary>
    /// <param name="result">What became of them.</param>
    /// <param name="dryRun">Whether nothing was removed yet.</param>
    /// <returns>The lines.</returns>
    public static IEnumerable<string> OfTags(TagPruneResult result, bool dryRun)
    {
        var table = new TextTable("TAG", "DIGEST", "");
        foreach (var (tag, digest) in result.Removed)
            table.Add(tag.Value, ImageTables.Short(digest), dryRun ? "would go" : "removed");
        foreach (var (tag, digest) in result.Spared)
            table.Add(tag.Value, ImageTables.Short(digest), "stays: another tag needs its image");
        var headline = string.Create(CultureInfo.InvariantCulture, $"{result.Repository}: {result.Removed.Count} tags {(dryRun ? "would go" : "removed")}, {result.Kept} kept");
        return result.Removed.Count + result.Spared.Count == 0 ? [headline] : [headline, .. table.Lines()];
    }

    /// <summary>The local store.</summary>
    /// <param name="images">The names that left its list.</param>
    /// <param name="blobs">How many blobs went.</param>
    /// <param name="freed">Their bytes.</param>
    /// <param name="remaining">The bytes that stay.</param>
    /// <param name="dryRun">Whether nothing was removed yet.</param>
    /// <returns>The lines.</returns>
    public static IEnumerable<string> OfStore(IReadOnlyList<string> images, int blobs, long freed, long remaining, bool dryRun)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture, $"Local store: {images.Count} images and {blobs} blobs {(dryRun ? "would go" : "removed")}, {ByteSize.Show(freed)} {(dryRun ? "would be freed" : "freed")}, {ByteSize.Show(remaining)} kept");
        foreach (var image in images)
            yield return $"  {image}";
    }
}
