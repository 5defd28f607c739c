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

    /// <summary>Writes the result of an index.</summary>
    /// <param name="result">The result.</param>
    /// <returns>The JSON in UTF-8.</returns>
    public static byte[] Write(IndexResult result) => JsonSerializer.SerializeToUtf8Bytes(Document(result), Context.PublishDocument);

    private static PublishDocument Document(PublishResult result)
    {
        var image = result.Image;
        return new PublishDocument(1, image.Digest.Value, image.Manifest.Descriptor.MediaType, [.. result.Deliveries.Select(delivery => Document(image.Digest.Value, delivery))])
        {
            Unchanged = result.IsUnchanged,
            Platform = image.Platform.ToString(),
            Size = image.Size,
            Layers = [.. image.Layers.Select(layer => new LayerDocument(layer.Descriptor.Digest.Value, layer.DiffId.Value, layer.Descriptor.MediaType, layer.Descriptor.Size))],
        };
    }

    private static PublishDocument Document(IndexResult result)
    {
        var index = result.Index.Descriptor;
        return new PublishDocument(1, index.Digest.Value, index.MediaType, [.. result.Deliveries.Select(delivery => Document(index.Digest.Value, delivery))])
        {
            Unchanged = result.IsUnchanged,
            Manifests = [.. result.Images.Select(image => new ManifestDocument(image.Digest.Value, image.Platform!.ToString(), image.MediaType))],
        };
    }

    internal static DeliveryDocument Document(string digest, Delivery delivery) => new(
        $"{delivery.Name}@{digest}",
        delivery.Repository?.Registry.Host,
        delivery.Repository?.Name ?? delivery.Name,
        [.. delivery.Tags.Select(tag => tag.Value)],
        delivery.Transfer.UploadedBytes,
        delivery.Transfer.MountedBytes,
        delivery.Transfer.ReusedBytes);
}

internal sealed record PublishDocument(int SchemaVersion, string Digest, string MediaType, IReadOnlyList<DeliveryDocument> Images)
{
    public bool Unchanged { get; init; }

    /// <summary>For an image: its platform; null for an index.</summary>
    public string? Platform { get; init; }

    /// <summary>For an image: its size; 0, and then not written, for an index. Not nullable: the code for that would be compiled in every build.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Size { get; init; }

    public IReadOnlyList<LayerDocument>? Layers { get; init; }

    /// <summary>For an index: its images; null for an image.</summary>
    public IReadOnlyList<ManifestDocument>? Manifests { get; init; }
}

internal sealed record ManifestDocument(string Digest, string Platform, string MediaType);

internal sealed record LayerDocument(string Digest, string DiffId, string MediaType, long Size);

internal sealed record DeliveryDocument(
    string Reference, string? Registry, string Repository, IReadOnlyList<string> Tags, long UploadedBytes, long MountedBytes, long ReusedBytes);

[JsonSerializable(typeof(PublishDocument))]
internal sealed partial class PublishJsonContext : JsonSerializerContext;
