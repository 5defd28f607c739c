using System.Text.Json.Serialization;
using ImagePublish.Destinations;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, for scripts: one stable schema with its version in it.</summary>
internal static class PublishJson
{
    public static byte[] Write(PublishResult result) => ResultWriter.Write(Document(result));

    public static byte[] Write(IndexResult result, IReadOnlyList<byte[]> parts) => ResultWriter.Write(Document(result, parts));

    private static PublishDocument Document(PublishResult result)
    {
        var image = result.Image;
        var root = result.Root.Descriptor;
        return new PublishDocument(
            1,
            root.Digest.Value,
            root.MediaType,
            [
                .. result.Deliveries.Select(delivery =>
                    Document(root.Digest.Value, delivery) with
                    {
                        Blobs = BlobDocument.Of(result.BlobsIn(delivery)),
                    }
                ),
            ]
        )
        {
            Unchanged = result.IsUnchanged,
            Platform = image.Platform.ToString(),
            Size = image.Size,
            Layers = LayerDocument.Of(image, result.LayerNames),
            Attachments = AttachmentDocument.Of(result.Attached),
        };
    }

    private static PublishDocument Document(IndexResult result, IReadOnlyList<byte[]> parts)
    {
        var index = result.Index.Descriptor;
        return new PublishDocument(
            1,
            index.Digest.Value,
            index.MediaType,
            [.. result.Deliveries.Select(delivery => Document(index.Digest.Value, delivery))]
        )
        {
            Unchanged = result.IsUnchanged,
            Manifests = ManifestDocument.Of(result, parts),
        };
    }

    internal static DeliveryDocument Document(string digest, DestinationResult delivery) =>
        new(
            $"{delivery.Name}@{digest}",
            delivery.Repository?.Registry.Host,
            delivery.Repository?.Name ?? delivery.Name,
            [.. delivery.Tags.Select(tag => tag.Value)],
            delivery.Transfer.UploadedBytes,
            delivery.Transfer.MountedBytes,
            delivery.Transfer.ReusedBytes
        );
}

internal sealed record PublishDocument(int SchemaVersion, string Digest, string MediaType, IReadOnlyList<DeliveryDocument> Images)
{
    public bool Unchanged { get; init; }

    /// <summary>For an image: its platform; null for an index.</summary>
    public string? Platform { get; init; }

    /// <summary>
    /// For an image: its size; 0, and then not written, for an index. Not nullable: the code for that would be compiled in every build.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Size { get; init; }

    public IReadOnlyList<LayerDocument>? Layers { get; init; }

    /// <summary>For an image: what is attached to it; null for nothing, and for an index, whose images have it.</summary>
    public IReadOnlyList<AttachmentDocument>? Attachments { get; init; }

    /// <summary>For an index: its images; null for an image.</summary>
    public IReadOnlyList<ManifestDocument>? Manifests { get; init; }
}

internal sealed record DeliveryDocument(
    string Reference,
    string? Registry,
    string Repository,
    IReadOnlyList<string> Tags,
    long UploadedBytes,
    long MountedBytes,
    long ReusedBytes
)
{
    /// <summary>For an image: how each of its blobs got there; null for an index, whose images have it.</summary>
    public IReadOnlyList<BlobDocument>? Blobs { get; init; }
}
