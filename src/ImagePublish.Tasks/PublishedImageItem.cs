using System.Globalization;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>A published image as an MSBuild item.</summary>
internal static class PublishedImageItem
{
    /// <summary>Makes the item.</summary>
    /// <param name="image">The image.</param>
    /// <param name="delivery">Where it is.</param>
    /// <returns>The item: the reference by digest, with metadata.</returns>
    public static ITaskItem Of(Image image, Delivery delivery)
    {
        var item = new TaskItem($"{delivery.Name}@{image.Digest}");
        item.SetMetadata("Registry", delivery.Repository?.Registry.Host ?? "");
        item.SetMetadata("Repository", delivery.Repository?.Name ?? delivery.Name);
        item.SetMetadata("Tags", string.Join(';', delivery.Tags));
        item.SetMetadata("Digest", image.Digest.Value);
        item.SetMetadata("MediaType", image.Manifest.Descriptor.MediaType);
        item.SetMetadata("Platform", image.Config.Platform.ToString());
        item.SetMetadata("Size", Number(image.Size));
        item.SetMetadata("UploadedBytes", Number(delivery.Transfer.UploadedBytes));
        item.SetMetadata("MountedBytes", Number(delivery.Transfer.MountedBytes));
        item.SetMetadata("ReusedBytes", Number(delivery.Transfer.ReusedBytes));
        return item;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
