using System.Globalization;
using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Tasks.Shared;
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

    /// <summary>The metadata that says whether anything was uploaded or a tag moved.</summary>
    public const string Changed = "Changed";

    /// <summary>The metadata that lists the blobs that were sent, <c>digest=size</c>.</summary>
    public const string Uploads = "Uploads";

    /// <summary>The metadata that lists the blobs that were mounted, <c>digest=size</c>.</summary>
    public const string Mounts = "Mounts";

    /// <summary>The metadata that lists the manifests that are attached, <c>digest=size</c>.</summary>
    public const string Attachments = "Attachments";

    public static ITaskItem Create(PublishResult result, DestinationResult delivery, string resultFile, string reportPart)
    {
        var image = result.Image;
        var platform = image.Platform;
        var blobs = result.BlobsIn(delivery);
        var item = Create(result.Root.Descriptor, delivery);
        item.SetMetadata(Attachments, ListOf(result.Attached));
        item.SetText(ResultFile, resultFile);
        item.SetText(ReportPart, reportPart);
        item.SetMetadata(Changed, result.IsUnchanged ? "false" : "true");
        item.SetMetadata(Uploads, List(blobs, TransferKind.Uploaded, TransferKind.Streamed));
        item.SetMetadata(Mounts, List(blobs, TransferKind.Mounted, TransferKind.Mounted));
        item.SetText("Platform", (platform with { OsVersion = null }).ToString());
        item.SetText("OsVersion", platform.OsVersion ?? "");
        item.SetMetadata("Size", Number(image.Size));
        return item;
    }

    public static ITaskItem Create(IndexResult result, DestinationResult delivery)
    {
        var item = Create(result.Index.Descriptor, delivery);
        item.SetMetadata(Changed, result.IsUnchanged ? "false" : "true");
        item.SetList("Platform", result.Images.Select(image => image.Platform?.ToString() ?? ""));
        return item;
    }

    public static Descriptor Descriptor(ITaskItem item)
    {
        var platform = Platform.Parse(item.GetMetadata("Platform")) with
        {
            OsVersion = InputParser.Optional(item.GetMetadata("OsVersion")),
        };
        var size = long.Parse(item.GetMetadata("ManifestSize"), CultureInfo.InvariantCulture);
        return new Descriptor(item.GetMetadata("MediaType"), Digest.Parse(item.GetMetadata("Digest")), size) { Platform = platform };
    }

    /// <summary>The attestations of an image, as entries of the index that it becomes a part of.</summary>
    public static IEnumerable<Descriptor> Attestations(ITaskItem item)
    {
        var image = Digest.Parse(item.GetMetadata("Digest"));
        foreach (var text in InputParser.Words(item.GetMetadata(Attachments)))
        {
            var (name, size) = (text.Split('=')[0], text.Split('=')[1]);
            var manifest = new Descriptor(MediaTypes.OciManifest, Digest.Parse(name), long.Parse(size, CultureInfo.InvariantCulture));
            yield return AttachedManifest.IndexEntry(manifest, image);
        }
    }

    public static DestinationResult Together(DestinationResult delivery, IEnumerable<ITaskItem> images) =>
        delivery with
        {
            Transfer = images
                .Where(image => image.ItemSpec.StartsWith($"{delivery.Name}@", StringComparison.Ordinal))
                .Select(Transfer)
                .Aggregate(delivery.Transfer, TransferTotals.Add),
        };

    public static async System.Threading.Tasks.Task<IReadOnlyList<byte[]>> ReadAsync(
        IEnumerable<ITaskItem> images,
        string name,
        CancellationToken cancellationToken
    )
    {
        var files = images.Select(image => image.GetMetadata(name)).Where(file => file.Length > 0).Distinct(StringComparer.Ordinal);
        return await System.Threading.Tasks.Task.WhenAll(files.Select(file => File.ReadAllBytesAsync(file, cancellationToken)));
    }

    // Without LINQ: it would be compiled in every build, also in one that changes nothing.
    private static string List(IReadOnlyList<ImageBlob> blobs, TransferKind move, TransferKind orMove)
    {
        var list = new StringBuilder();
        foreach (var blob in blobs)
        {
            if (blob.Transfer.Kind == move || blob.Transfer.Kind == orMove)
                list.Append(list.Length == 0 ? "" : ";")
                    .Append(blob.Descriptor.Digest.Value)
                    .Append('=')
                    .Append(Number(blob.Descriptor.Size));
        }

        return list.ToString();
    }

    private static string ListOf(IReadOnlyList<AttachmentInfo> attached)
    {
        var list = new StringBuilder();
        foreach (var one in attached)
            list.Append(list.Length == 0 ? "" : ";").Append(one.Descriptor.Digest.Value).Append('=').Append(Number(one.Descriptor.Size));
        return list.ToString();
    }

    private static TransferTotals Transfer(ITaskItem image) =>
        new(Bytes(image, "UploadedBytes"), Bytes(image, "MountedBytes"), Bytes(image, "ReusedBytes"));

    private static long Bytes(ITaskItem image, string name) => long.Parse(image.GetMetadata(name), CultureInfo.InvariantCulture);

    private static TaskItem Create(Descriptor manifest, DestinationResult delivery)
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
