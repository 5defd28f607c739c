using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, for scripts: one stable schema with its version in it.</summary>
public static class PublishJson
{
    private static readonly PublishJsonContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
    });

    /// <summary>Writes a result.</summary>
    /// <param name="result">The result.</param>
    /// <returns>The JSON in UTF-8.</returns>
    public static byte[] Write(PublishResult result) => JsonSerializer.SerializeToUtf8Bytes(Document(result), Context.PublishDocument);

    private static PublishDocument Document(PublishResult result)
    {
        var image = result.Image;
        return new PublishDocument(
            1,
            image.Digest.Value,
            image.Manifest.Descriptor.MediaType,
            image.Config.Platform.ToString(),
            image.Size,
            [.. image.Layers.Select(layer => new LayerDocument(layer.Descriptor.Digest.Value, layer.DiffId.Value, layer.Descriptor.MediaType, layer.Descriptor.Size))],
            [.. result.Deliveries.Select(delivery => Document(image.Digest.Value, delivery))]);
    }

    private static DeliveryDocument Document(string digest, Delivery delivery) => new(
        $"{delivery.Name}@{digest}",
        delivery.Repository?.Registry.Host,
        delivery.Repository?.Name ?? delivery.Name,
        [.. delivery.Tags.Select(tag => tag.Value)],
        delivery.Transfer.UploadedBytes,
        delivery.Transfer.MountedBytes,
        delivery.Transfer.ReusedBytes);
}

internal sealed record PublishDocument(
    int SchemaVersion, string Digest, string MediaType, string Platform, long Size, IReadOnlyList<LayerDocument> Layers, IReadOnlyList<DeliveryDocument> Images);

internal sealed record LayerDocument(string Digest, string DiffId, string MediaType, long Size);

internal sealed record DeliveryDocument(
    string Reference, string? Registry, string Repository, IReadOnlyList<string> Tags, long UploadedBytes, long MountedBytes, long ReusedBytes);

[JsonSerializable(typeof(PublishDocument))]
internal sealed partial class PublishJsonContext : JsonSerializerContext;
