using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>A layer, wherever it goes.</summary>
internal sealed record LayerDocument(string Name, string Digest, string DiffId, string MediaType, long Size)
{
    public static IReadOnlyList<LayerDocument> Of(Image image, IReadOnlyList<string> names) =>
        [
            .. image.Layers.Select(
                (layer, at) =>
                    new LayerDocument(
                        names[at],
                        layer.Descriptor.Digest.Value,
                        layer.DiffId.Value,
                        layer.Descriptor.MediaType,
                        layer.Descriptor.Size
                    )
            ),
        ];
}

/// <summary>How a blob got to one destination, or would.</summary>
internal sealed record BlobDocument(
    string Name,
    string Digest,
    string MediaType,
    long Size,
    string Action,
    long UploadedBytes,
    string? From
)
{
    public static IReadOnlyList<BlobDocument> Of(IReadOnlyList<ImageBlob> blobs) =>
        [
            .. blobs.Select(blob => new BlobDocument(
                blob.Name,
                blob.Descriptor.Digest.Value,
                blob.Descriptor.MediaType,
                blob.Descriptor.Size,
                Word(blob.Transfer.Kind),
                blob.Transfer.UploadedBytes,
                blob.Transfer.From?.ToString()
            )),
        ];

    public static string Word(TransferKind move) =>
        move switch
        {
            TransferKind.Reused => "reused",
            TransferKind.Mounted => "mounted",
            TransferKind.Streamed => "streamed",
            _ => "uploaded",
        };
}

/// <summary>An image of an index. What it took is not known of one that was published elsewhere and only named.</summary>
internal sealed record ManifestDocument(string Digest, string Platform, string MediaType)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Size { get; init; }

    public IReadOnlyList<LayerDocument>? Layers { get; init; }

    public IReadOnlyList<ManifestPlaceDocument>? Images { get; init; }

    public static IReadOnlyList<ManifestDocument> Of(IndexResult result, IReadOnlyList<byte[]> parts)
    {
        var known = parts
            .Select(part => JsonSerializer.Deserialize(part, ResultJsonContext.Indented.PartDocument)!)
            .Concat(result.Joined.Select(image => PartDocument.Of(image, result.Deliveries)))
            .DistinctBy(part => part.Digest)
            .ToDictionary(part => part.Digest, StringComparer.Ordinal);
        return
        [
            .. result.Images.Select(image =>
                known.TryGetValue(image.Digest.Value, out var part)
                    ? new ManifestDocument(image.Digest.Value, image.Platform!.ToString(), image.MediaType)
                    {
                        Size = part.Size,
                        Layers = part.Layers,
                        Images = part.Images,
                    }
                    : new ManifestDocument(image.Digest.Value, image.Platform!.ToString(), image.MediaType)
            ),
        ];
    }
}

/// <summary>What an image of an index took at one destination.</summary>
internal sealed record ManifestPlaceDocument(string? Registry, string Repository, IReadOnlyList<BlobDocument> Blobs);

/// <summary>The part of an image's result or plan that its index shows.</summary>
internal sealed record PartDocument(
    string Digest,
    long Size,
    IReadOnlyList<LayerDocument> Layers,
    IReadOnlyList<ManifestPlaceDocument> Images
)
{
    public static PartDocument Of(JoinedImage joined, IReadOnlyList<DestinationResult> deliveries) =>
        new(
            joined.Image.Digest.Value,
            joined.Image.Size,
            LayerDocument.Of(joined.Image, joined.LayerNames),
            [
                .. deliveries.Select(delivery => new ManifestPlaceDocument(
                    delivery.Repository?.Registry.Host,
                    delivery.Repository?.Name ?? delivery.Name,
                    BlobDocument.Of(delivery.BlobsOf(joined.Image, joined.LayerNames))
                )),
            ]
        );
}

[JsonSerializable(typeof(PublishDocument))]
[JsonSerializable(typeof(PlanDocument))]
[JsonSerializable(typeof(PartDocument))]
[JsonSerializable(typeof(BuildSummary))]
[JsonSerializable(typeof(BuildRecord))]
internal sealed partial class ResultJsonContext : JsonSerializerContext
{
    /// <summary>How results are written: to be read by scripts, and by people too.</summary>
    public static ResultJsonContext Indented { get; } = new(ReadableJson.NewOptions());
}
