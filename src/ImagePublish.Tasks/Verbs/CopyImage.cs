using ImagePublish.Diagnostics;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Copies an image from a registry, the local store or an archive to registries or the local store, with the same digests.</summary>
public sealed class CopyImage : VerbTask
{
    /// <summary>Whether to tell only.</summary>
    public bool DryRun { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var names = new VerbNames(this);
        await names.LookIntoArchiveAsync(cancellationToken);
        // Without a source it is the project's own image, which an earlier build left in the local store.
        var source = names.Source ?? (names.Own as StoreImage ?? new StoreImage($"{names.LocalName}:{((RegistryImage)names.Own).Reference.Tag}"));
        var tags = names.Tags.Count > 0 ? names.Tags
            : names.SourceTag is { } tag ? [tag]
            : source is StoreImage own && Oci.Tag.TryParse(StoreNames.Tag(own.Name), out var ownTag) ? [ownTag]
            : (IReadOnlyList<Oci.Tag>)[];
        if (tags.Count == 0 && names.Destinations.Count == 0)
            throw new ImagePublishException(DiagnosticCodes.PropertyMissing, $"The local store knows images by tags, and '{source}' has none: set ImageTags.");
        var request = new CopyRequest(source, names.Destinations, names.StoreName, tags) { DryRun = DryRun };
        var result = await new ImageCopier(Connect(names.Registries).Registries, OpenStore()).CopyAsync(request, cancellationToken);
        Tell(log, ImageTables.OfCopy(result, DryRun));
        Results = [.. result.Deliveries.Select(delivery => VerbItems.Of(
            $"{delivery.Name}@{result.Root.Digest}",
            ("Registry", delivery.Repository?.Registry.Host ?? ""),
            ("Repository", delivery.Repository?.Name ?? delivery.Name),
            ("Tags", string.Join(';', delivery.Tags)),
            ("Digest", result.Root.Digest),
            ("MediaType", result.Root.MediaType),
            ("UploadedBytes", delivery.Transfer.UploadedBytes),
            ("MountedBytes", delivery.Transfer.MountedBytes),
            ("ReusedBytes", delivery.Transfer.ReusedBytes),
            ("Attachments", result.Attachments)))];
    }
}
