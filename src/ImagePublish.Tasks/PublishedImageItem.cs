using System.Globalization;
using System.Text;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>A published image or index as an MSBuild item.</summary>
internal static class PublishedImageItem
{
    /// <summary>The metadata that names the file with an image's part of a report.</summary>
    public const string ReportPart = "ReportPart";

    /// <summary>The metadata that names the file with an image's own result or plan.</summary>
    public const string ResultFile = "ResultFile";

    /// <summary>The metadata that lists the blobs that were sent, <c>digest=size</c>.</summary>
    public const string Uploads = "Uploads";

    /// <summary>The metadata that lists the blobs that were mounted, <c>digest=size</c>.</summary>
    public const string Mounts = "Mounts";

    /// <summary>Makes an image's item.</summary>
    /// <param name="result">The image.</param>
    /// <param name="delivery">Where it is.</param>
    /// <param name="resultFile">The file with its result or plan.</param>
    /// <param name="reportPart">The file with its part of a report; empty for none.</param>
    /// <returns>The item: the reference by digest, with metadata.</returns>
    public static ITaskItem Of(PublishResult result, Delivery delivery, string resultFile, string reportPart)
    {
        var image = result.Image;
        var platform = image.Platform;
        var blobs = result.BlobsIn(delivery);
        var item = Of(image.Manifest.Descriptor, delivery);
        item.SetText(ResultFile, resultFile);
        item.SetText(ReportPart, reportPart);
        item.SetMetadata(Uploads, List(blobs, BlobMove.Uploaded, BlobMove.Streamed));
        item.SetMetadata(Mounts, List(blobs, BlobMove.Mounted, BlobMove.Mounted));
        item.SetText("Platform", (platform with { OsVersion = null }).ToString());
        item.SetText("OsVersion", platform.OsVersion ?? "");
        item.SetMetadata("Size", Number(image.Size));
        return item;
    }

    /// <summary>Makes an index's item.</summary>
    /// <param name="result">The index.</param>
    /// <param name="delivery">Where it is.</param>
    /// <returns>The item: the reference by digest, with metadata.</returns>
    public static ITaskItem Of(IndexResult result, Delivery delivery)
    {
        var item = Of(result.Index.Descriptor, delivery);
        item.SetList("Platform", result.Images.Select(image => image.Platform?.ToString() ?? ""));
        return item;
    }

    /// <summary>Reads what an image's item says of it.</summary>
    /// <param name="item">The item.</param>
    /// <returns>The image as an entry of an index.</returns>
    public static Descriptor Descriptor(ITaskItem item)
    {
        var platform = Platform.Parse(item.GetMetadata("Platform")) with { OsVersion = Lists.Optional(item.GetMetadata("OsVersion")) };
        var size = long.Parse(item.GetMetadata("ManifestSize"), CultureInfo.InvariantCulture);
        return new Descriptor(item.GetMetadata("MediaType"), Digest.Parse(item.GetMetadata("Digest")), size) { Platform = platform };
    }

    /// <summary>What an index took together with its images.</summary>
    /// <param name="delivery">The index in one place.</param>
    /// <param name="images">Its images' items, in all places.</param>
    /// <returns>The delivery with all that was moved there.</returns>
    public static Delivery Together(Delivery delivery, IEnumerable<ITaskItem> images) => delivery with
    {
        Transfer = images.Where(image => image.ItemSpec.StartsWith($"{delivery.Name}@", StringComparison.Ordinal)).Select(Transfer).Aggregate(delivery.Transfer, TransferTotals.Add),
    };

    /// <summary>The files that images' items name.</summary>
    /// <param name="images">The items.</param>
    /// <param name="name">The metadata that names them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is in the files, each once.</returns>
    public static async System.Threading.Tasks.Task<IReadOnlyList<byte[]>> ReadAsync(IEnumerable<ITaskItem> images, string name, CancellationToken cancellationToken)
    {
        var files = images.Select(image => image.GetMetadata(name)).Where(file => file.Length > 0).Distinct(StringComparer.Ordinal);
        return await System.Threading.Tasks.Task.WhenAll(files.Select(file => File.ReadAllBytesAsync(file, cancellationToken)));
    }

    // Without LINQ: it would be compiled in every build, also in one that changes nothing.
    private static string List(IReadOnlyList<ImageBlob> blobs, BlobMove move, BlobMove orMove)
    {
        var list = new StringBuilder();
        foreach (var blob in blobs)
        {
            if (blob.Fate.Move == move || blob.Fate.Move == orMove)
                list.Append(list.Length == 0 ? "" : ";").Append(blob.Descriptor.Digest.Value).Append('=').Append(Number(blob.Descriptor.Size));
        }

        return list.ToString();
    }

    private static TransferTotals Transfer(ITaskItem image) => new(Bytes(image, "UploadedBytes"), Bytes(image, "MountedBytes"), Bytes(image, "ReusedBytes"));

    private static long Bytes(ITaskItem image, string name) => long.Parse(image.GetMetadata(name), CultureInfo.InvariantCulture);

    private static TaskItem Of(Descriptor manifest, Delivery delivery)
    {
        var item = OutputItem.Create($"{delivery.Name}@{manifest.Digest}");
        item.SetText("Registry", delivery.Repository?.Registry.Host ?? "");
        item.SetText("Repository", delivery.Repository?.Name ?? delivery.Name);
        item.SetMetadata("Tags", string.Join(';', delivery.Tags));
        item.SetMetadata("Digest", manifest.Digest.Value);
        item.SetText("MediaType", manifest.MediaType);
        item.SetMetadata("ManifestSize", Number(manifest.Size));
        item.SetMetadata("UploadedBytes", Number(delivery.Transfer.UploadedBytes));
        item.SetMetadata("MountedBytes", Number(delivery.Transfer.MountedBytes));
        item.SetMetadata("ReusedBytes", Number(delivery.Transfer.ReusedBytes));
        return item;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
