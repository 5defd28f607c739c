using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Common;
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

/// <summary>A manifest that is attached to an image, and what it contains.</summary>
internal sealed record AttachmentDocument(string Digest, string? ArtifactType, IReadOnlyList<string> Types)
{
    /// <summary>Of nothing there is no list: null.</summary>
    public static IReadOnlyList<AttachmentDocument>? Of(IReadOnlyList<AttachmentInfo> attached) =>
        attached.Count == 0 ? null : [.. attached.Select(Of)];

    private static AttachmentDocument Of(AttachmentInfo attachment) =>
        new(
            attachment.Descriptor.Digest.Value,
            attachment.Descriptor.ArtifactType is { } type ? Text.Sanitize(type) : null,
            [.. attachment.Types.Select(Text.Sanitize)]
        );
}

/// <summary>What is attached to one platform of an image and to the whole, for scripts.</summary>
internal static class AttachmentsJson
{
    public static byte[] Write(InspectedImage image, Digest platform)
    {
        var attached = image.Attachments.Select(one => one.Attachment);
        var own = attached.Where(one => one.Subject == platform || one.Subject == image.Root.Digest);
        AttachmentDocument[] documents = [.. AttachmentDocument.Of([.. own]) ?? []];
        return ResultWriter.Write(documents);
    }
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

    public IReadOnlyList<AttachmentDocument>? Attachments { get; init; }

    public static IReadOnlyList<ManifestDocument> Of(IndexResult result, IReadOnlyList<byte[]> parts)
    {
        var known = parts
            .Select(part => JsonSerializer.Deserialize(part, ResultReader.Readable.PartDocument)!)
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
                        Attachments = part.Attachments,
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
    public IReadOnlyList<AttachmentDocument>? Attachments { get; init; }

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

/// <summary>How results are written: to be read by scripts, and by people too.</summary>
/// <remarks>
/// By the generated code alone. <see cref="JsonSerializer"/> would first make converters for all types in it, which takes longer than all
/// the rest of a publish that changes nothing.
/// </remarks>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Serialization,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(PublishDocument))]
[JsonSerializable(typeof(PlanDocument))]
[JsonSerializable(typeof(BuildSummary))]
[JsonSerializable(typeof(BuildRecord))]
[JsonSerializable(typeof(AttachmentDocument[]))]
internal sealed partial class ResultWriter : JsonSerializerContext
{
    private static readonly IJsonTypeInfoResolver Types = new ResultWriter();

    private static readonly JsonSerializerOptions Settings = new();

    public static byte[] Write<T>(T document)
    {
        var type = (JsonTypeInfo<T>)Types.GetTypeInfo(typeof(T), Settings)!;
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, ReadableJson.WriterOptions))
            type.SerializeHandler!(json, document);
        return bytes.WrittenSpan.ToArray();
    }
}

/// <summary>Results that another task or process has written.</summary>
[JsonSerializable(typeof(PartDocument))]
[JsonSerializable(typeof(BuildRecord))]
internal sealed partial class ResultReader : JsonSerializerContext
{
    public static ResultReader Readable { get; } = new(ReadableJson.NewOptions());
}
