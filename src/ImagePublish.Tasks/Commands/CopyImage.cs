using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Commands;

/// <summary>Copies an image from a registry, the local store or an archive to registries or the local store, with the
/// same digests.</summary>
public sealed class CopyImage : CommandTask
{
    /// <summary>Whether to only report what would be done.</summary>
    public bool DryRun { get; set; }

    internal override string? LeftAlone => "no tag was moved";

    private static IReadOnlyList<Oci.Tag> TagsOf(CommandNames names)
    {
        if (names.Tags.Count > 0 || (names.ContentTags.Count > 0 && names.Source is not null))
            return names.Tags;
        if (names.Source is null)
            return names.ProjectTags;
        return names.SourceTag is { } tag ? [tag] : [];
    }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        await names.ResolveArchiveNameAsync(cancellationToken);
        // Without a source it is the project's own image, which an earlier build left in the local store.
        var source = names.Source ?? names.ProjectImageInStore;
        var tags = TagsOf(names);
        if (tags.Count == 0 && names.ContentTags.Count == 0 && names.Destinations.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                $"The local store finds images by their tags, and '{source}' has none: set ImageTags."
            );
        var request = new CopyRequest(source, names.Destinations, names.StoreName, tags)
        {
            DryRun = DryRun,
            ContentTags = names.ContentTags,
        };
        var result = await new ImageCopier(Connect(names.Registries).Registries, OpenStore()).CopyAsync(request, cancellationToken);
        Report(log, ImageTables.OfCopy(result, DryRun));
        Items =
        [
            .. result.Deliveries.Select(delivery =>
                CommandItem.Create(
                    $"{delivery.Name}@{result.Root.Digest}",
                    ("Registry", delivery.Repository?.Registry.Host ?? ""),
                    ("Repository", delivery.Repository?.Name ?? delivery.Name),
                    ("Tags", delivery.Tags.Select(tag => tag.Value)),
                    ("Digest", result.Root.Digest),
                    ("MediaType", result.Root.MediaType),
                    ("UploadedBytes", delivery.Transfer.UploadedBytes),
                    ("MountedBytes", delivery.Transfer.MountedBytes),
                    ("ReusedBytes", delivery.Transfer.ReusedBytes),
                    ("Attachments", result.Attachments)
                )
            ),
        ];
    }
}
