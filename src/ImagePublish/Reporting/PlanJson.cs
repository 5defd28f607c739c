using System.Text;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting;

/// <summary>What a publish would do, for scripts: one stable schema with its version in it.</summary>
internal static class PlanJson
{
    public static byte[] Write(ImagePlan plan)
    {
        var image = plan.Result.Image;
        var document = new PlanDocument(
            1,
            plan.Result.Root.Descriptor.Digest.Value,
            plan.Result.Root.Descriptor.MediaType,
            plan.Result.IsUnchanged,
            [.. plan.Destinations.Select(place => Document(place, place.Delivery))]
        )
        {
            Platform = image.Config.Platform.ToString(),
            Size = image.Size,
            Layers = LayerDocument.Of(image, plan.Result.LayerNames),
            Base = new PlannedBaseDocument(plan.Base.Name, plan.Base.Digest?.Value, plan.Base.Before?.Value, plan.Base.HasDrifted),
            Changes = plan.Changes is { } changes ? Document(changes) : null,
        };
        return Encoding.UTF8.GetBytes(ReadableJson.Printable(ResultWriter.Write(document)));
    }

    /// <summary>Writes the plan of an index.</summary>
    /// <param name="deliveries">What the publish would report of all its images together, one for each destination.</param>
    public static byte[] Write(IndexPlan plan, IReadOnlyList<DestinationResult> deliveries, IReadOnlyList<byte[]> parts)
    {
        var index = plan.Result.Index.Descriptor;
        var document = new PlanDocument(
            1,
            index.Digest.Value,
            index.MediaType,
            plan.Result.IsUnchanged,
            [.. plan.Destinations.Zip(deliveries, Document)]
        )
        {
            Manifests = ManifestDocument.Of(plan.Result, parts),
        };
        return Encoding.UTF8.GetBytes(ReadableJson.Printable(ResultWriter.Write(document)));
    }

    private static PlannedPlaceDocument Document(PlannedDestinationResult place, DestinationResult delivery) =>
        new(
            delivery.Repository?.Registry.Host,
            delivery.Repository?.Name ?? delivery.Name,
            [.. place.Tags.Select(Document)],
            BlobDocument.Of(place.Blobs),
            delivery.Transfer.UploadedBytes,
            delivery.Transfer.MountedBytes,
            delivery.Transfer.ReusedBytes
        );

    internal static PlannedTagDocument Document(PlannedTag tag) => new(tag.Tag.Value, tag.Before?.Value, tag.After.Value);

    private static ChangesDocument Document(ImageChanges changes) =>
        new(
            changes.Against,
            changes.Digest.Value,
            [
                .. changes.Layers.Select(layer => new LayerChangeDocument(
                    layer.Name,
                    Word(layer.Kind),
                    [.. layer.Files.Select(file => new FileChangeDocument(file.Path, Word(file.Kind), file.Before, file.After))]
                )),
            ],
            [.. changes.Config.Select(change => new ConfigChangeDocument(change.Name, change.Before, change.After))]
        );

    private static string Word(ChangeKind kind) =>
        kind switch
        {
            ChangeKind.Same => "same",
            ChangeKind.Added => "added",
            ChangeKind.Removed => "removed",
            _ => "changed",
        };
}

internal sealed record PlanDocument(
    int SchemaVersion,
    string Digest,
    string MediaType,
    bool Unchanged,
    IReadOnlyList<PlannedPlaceDocument> Images
)
{
    /// <summary>For an image: its platform; null for an index.</summary>
    public string? Platform { get; init; }

    public long? Size { get; init; }

    /// <summary>For an image: its layers; null for an index.</summary>
    public IReadOnlyList<LayerDocument>? Layers { get; init; }

    public PlannedBaseDocument? Base { get; init; }

    public ChangesDocument? Changes { get; init; }

    /// <summary>For an index: its images; null for an image.</summary>
    public IReadOnlyList<ManifestDocument>? Manifests { get; init; }
}

internal sealed record PlannedPlaceDocument(
    string? Registry,
    string Repository,
    IReadOnlyList<PlannedTagDocument> Tags,
    IReadOnlyList<BlobDocument> Blobs,
    long UploadedBytes,
    long MountedBytes,
    long ReusedBytes
);

internal sealed record PlannedTagDocument(string Tag, string? Before, string After);

internal sealed record PlannedBaseDocument(string Name, string? Digest, string? Before, bool Drifted);

internal sealed record ChangesDocument(
    string Against,
    string Digest,
    IReadOnlyList<LayerChangeDocument> Layers,
    IReadOnlyList<ConfigChangeDocument> Config
);

internal sealed record LayerChangeDocument(string Name, string Change, IReadOnlyList<FileChangeDocument> Files);

internal sealed record FileChangeDocument(string Path, string Change, long? Before, long? After);

internal sealed record ConfigChangeDocument(string Name, string? Before, string? After);
