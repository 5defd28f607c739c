using System.Globalization;
using ImagePublish.Commands;
using ImagePublish.Oci;

namespace ImagePublish.Reporting;

/// <summary>What a prune removed, for people.</summary>
internal static class PruneTables
{
    private const int SampleSize = 5;

    public static IEnumerable<string> OfTags(TagPrunePlan plan, bool dryRun)
    {
        var table = new TextTable("TAG", "DIGEST", "");
        foreach (var (tag, digest) in plan.Removed)
            table.Add(tag.Value, ImageTables.Short(digest), dryRun ? "would be removed" : "to remove");
        foreach (var (tag, digest) in plan.Retained)
            table.Add(tag.Value, ImageTables.Short(digest), "stays: another tag needs its image");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Repository}: {plan.Removed.Count} tags {(dryRun ? "would be removed" : "to remove")}, {plan.Kept} stay"
        );
        if (plan.Removed.Count + plan.Retained.Count > 0)
        {
            foreach (var line in table.Lines())
                yield return line;
        }

        if (plan.KeptNames.Count > 0)
            yield return $"  {Sample(plan.KeptNames)}: names stay, since ImageKeep counts versions such as 1.4.2. To remove names "
                + $"too, set ImageMaxAge with an ImageFilter such as pr-*.";
    }

    public static string Removed(TagPrunePlan plan) =>
        string.Create(CultureInfo.InvariantCulture, $"{plan.Repository}: {plan.Removed.Count} tags removed");

    private static string Sample(IReadOnlyList<Tag> tags) =>
        string.Join(", ", tags.Take(SampleSize))
        + (tags.Count > SampleSize ? string.Create(CultureInfo.InvariantCulture, $" and {tags.Count - SampleSize} more") : "");

    public static IEnumerable<string> OfStore(IReadOnlyList<string> images, int blobs, long freed, long remaining, bool dryRun)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"Local store: {images.Count} images and {blobs} blobs {(dryRun ? ("would be "
+ "removed") : "removed")}, {ByteSize.Show(freed)} {(dryRun ? "would be freed" : "freed")}, {ByteSize.Show(remaining)} kept"
        );
        foreach (var image in images)
            yield return $"  {image}";
    }
}
