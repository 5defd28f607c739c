using System.Globalization;
using ImagePublish.Destinations;
using ImagePublish.Publishing.Explain;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>A planned image as an MSBuild item: that of the published image, and what only a plan knows.</summary>
internal static class PlannedImageItem
{
    public static ITaskItem Create(ImagePlan plan, PlannedDestinationResult place, string resultFile, string reportPart)
    {
        var item = PublishedImageItem.Create(plan.Result, place.Delivery, resultFile, reportPart);
        item.SetMetadata("IsUnchanged", plan.Result.IsUnchanged ? "true" : "false");
        item.SetMetadata("MovedTags", string.Join(';', place.Tags.Where(tag => tag.Moves).Select(tag => tag.Tag)));
        item.SetText("Base", plan.Base.Name);
        item.SetMetadata("BaseDigest", plan.Base.Digest?.Value ?? "");
        item.SetMetadata("PreviousBaseDigest", plan.Base.Before?.Value ?? "");
        item.SetMetadata("PreviousDigest", plan.Changes?.Digest.Value ?? "");
        return item;
    }

    /// <summary>What an index would take together with its images: what several of them share goes once.</summary>
    public static DestinationResult Together(DestinationResult delivery, IReadOnlyCollection<ITaskItem> images)
    {
        var together = PublishedImageItem.Together(delivery, images);
        var seen = new HashSet<string>();
        foreach (var image in images.Where(image => image.ItemSpec.StartsWith($"{delivery.Name}@", StringComparison.Ordinal)))
        {
            var (uploaded, mounted) = (Again(PublishedImageItem.Uploads), Again(PublishedImageItem.Mounts));
            together = together with { Transfer = together.Transfer + new TransferTotals(-uploaded, -mounted, uploaded + mounted) };

            long Again(string name) =>
                InputParser
                    .Words(image.GetMetadata(name))
                    .Where(blob => !seen.Add(blob))
                    .Sum(blob => long.Parse(blob.Split('=')[1], CultureInfo.InvariantCulture));
        }

        return together;
    }
}
