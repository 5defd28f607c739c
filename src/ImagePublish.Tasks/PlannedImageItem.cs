using System.Globalization;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Planning;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>A planned image as an MSBuild item: that of the published image, and what only a plan knows.</summary>
internal static class PlannedImageItem
{
    private const string Uploads = "Uploads";
    private const string Mounts = "Mounts";

    /// <summary>Makes an image's item.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="place">Where it would be.</param>
    /// <returns>The item: the reference by digest, with metadata.</returns>
    public static ITaskItem Of(ImagePlan plan, PlannedPlace place)
    {
        var item = PublishedImageItem.Of(plan.Result.Image, place.Delivery);
        item.SetMetadata("IsUnchanged", plan.Result.IsUnchanged ? "true" : "false");
        item.SetMetadata("MovedTags", string.Join(';', place.Tags.Where(tag => tag.Moves).Select(tag => tag.Tag)));
        item.SetMetadata("Base", plan.Base.Name);
        item.SetMetadata("BaseDigest", plan.Base.Digest?.Value ?? "");
        item.SetMetadata("PreviousBaseDigest", plan.Base.Before?.Value ?? "");
        item.SetMetadata("PreviousDigest", plan.Changes?.Digest.Value ?? "");
        item.SetMetadata(Uploads, Blobs(place, BlobMove.Uploaded));
        item.SetMetadata(Mounts, Blobs(place, BlobMove.Mounted));
        return item;
    }

    /// <summary>What an index would take together with its images: what several of them share goes once.</summary>
    /// <param name="delivery">The index in one place.</param>
    /// <param name="images">Its images' items, in all places.</param>
    /// <returns>The delivery with all that would be moved there.</returns>
    public static Delivery Together(Delivery delivery, IReadOnlyCollection<ITaskItem> images)
    {
        var together = PublishedImageItem.Together(delivery, images);
        var seen = new HashSet<string>();
        foreach (var image in images.Where(image => image.ItemSpec.StartsWith($"{delivery.Name}@", StringComparison.Ordinal)))
        {
            var (uploaded, mounted) = (Again(Uploads), Again(Mounts));
            together = together with { Transfer = together.Transfer + new TransferTotals(-uploaded, -mounted, uploaded + mounted) };

            long Again(string name) => Lists.Words(image.GetMetadata(name)).Where(blob => !seen.Add(blob)).Sum(blob => long.Parse(blob.Split('=')[1], CultureInfo.InvariantCulture));
        }

        return together;
    }

    private static string Blobs(PlannedPlace place, BlobMove move) =>
        string.Join(';', place.Blobs.Where(blob => blob.Move == move).DistinctBy(blob => blob.Descriptor.Digest).Select(blob => string.Create(CultureInfo.InvariantCulture, $"{blob.Descriptor.Digest}={blob.Descriptor.Size}")));
}
