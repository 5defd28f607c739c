using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>An image as it is in a registry, the local store or an archive.</summary>
internal sealed record InspectedImage(string Name, Descriptor Root, IReadOnlyList<InspectedPlatform> Platforms)
{
    public long Size =>
        Platforms
            .SelectMany(platform => platform.Manifest.Layers.Prepend(platform.Manifest.Config))
            .DistinctBy(blob => blob.Digest)
            .Sum(blob => blob.Size);

    /// <summary>What is attached to the image and its platforms; none where that was not asked for.</summary>
    public IReadOnlyList<InspectedAttachment> Attachments { get; init; } = [];

    /// <summary>The manifest of something that is no image, such as a Helm chart; null for images and indexes.</summary>
    public ImageManifest? Artifact { get; init; }

    public string? Created => Platforms.Select(platform => platform.Config.Created).Max(StringComparer.Ordinal);
}

/// <summary>Something that is attached to an image, and what its provenance claims, where it is provenance.</summary>
internal sealed record InspectedAttachment(AttachmentInfo Attachment, ProvenanceSummary? Provenance);

/// <summary>An image for one platform.</summary>
internal sealed record InspectedPlatform(Descriptor Descriptor, ImageManifest Manifest, ImageConfig Config)
{
    public long Size => Manifest.Config.Size + Manifest.Layers.Sum(layer => layer.Size);
}

/// <summary>Shows images: documents only, no layer is read.</summary>
internal sealed class ImageInspector(RegistryClient registries, ImageStore store)
{
    private readonly ImageOpener sources = new(registries, store);

    /// <summary>Reads an image's manifests and configs.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3105</c>, <c>IMG3106</c>, <c>IMG4006</c>: there is none;
    /// <c>IMG2003</c>: it is damaged; or what the source fails with.</exception>
    public async Task<InspectedImage> InspectAsync(ImageSource source, CancellationToken cancellationToken, bool withAttachments = false)
    {
        var content = await sources.OpenAsync(source, cancellationToken);
        var image = await InspectAsync(source.ToString()!, content, cancellationToken);
        return withAttachments ? image with { Attachments = await ReadAttachmentsAsync(content, image.Name, cancellationToken) } : image;
    }

    /// <summary>Reads the manifests and configs of an image that is open.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2003</c>: it is damaged; or what its source fails with.</exception>
    public static async Task<InspectedImage> InspectAsync(string name, IImageContent content, CancellationToken cancellationToken) =>
        await GuardAsync(name, async () =>
        {
            var platforms = new List<InspectedPlatform>();
            foreach (var manifest in Manifests(content.Root))
            {
                if (
                    await content.TryReadAsync(manifest, cancellationToken) is { } document
                    && await ReadAsync(content, document, manifest.Platform, cancellationToken) is { } platform
                )
                    platforms.Add(platform);
            }

            return new InspectedImage(name, content.Root.Descriptor, platforms)
            {
                Artifact =
                    platforms.Count == 0 && MediaTypes.IsManifest(content.Root.Descriptor.MediaType)
                        ? OciJson.ReadManifest(content.Root.Content.Span)
                        : null,
            };
        });

    private static Task<IReadOnlyList<InspectedAttachment>> ReadAttachmentsAsync(
        IImageContent content,
        string name,
        CancellationToken cancellationToken
    ) => GuardAsync<IReadOnlyList<InspectedAttachment>>(name, async () =>
        {
            var reader = new AttestationReader(content);
            var read = new List<InspectedAttachment>();
            foreach (var attachment in await reader.ListAsync(cancellationToken))
                read.Add(new InspectedAttachment(attachment, await reader.ReadProvenanceAsync(attachment, cancellationToken)));
            return read;
        });

    private static async Task<T> GuardAsync<T>(string name, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{Text.Sanitize(name)}' is malformed: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    // Attestations stand in an index as images for 'unknown/unknown'.
    private static IEnumerable<Descriptor> Manifests(MemoryBlobSource root) =>
        MediaTypes.IsIndex(root.Descriptor.MediaType)
            ? OciJson
                .ReadIndex(root.Content.Span)
                .Manifests.Where(manifest => MediaTypes.IsManifest(manifest.MediaType) && manifest.Platform?.Os != "unknown")
            : [root.Descriptor];

    private static async Task<InspectedPlatform?> ReadAsync(
        IImageContent content,
        MemoryBlobSource document,
        Platform? indexed,
        CancellationToken cancellationToken
    )
    {
        var manifest = OciJson.ReadManifest(document.Content.Span);
        if (manifest.Config.MediaType is not (MediaTypes.OciConfig or MediaTypes.DockerConfig))
            return null;
        return await content.TryReadAsync(manifest.Config, cancellationToken) is { } config
            ? new InspectedPlatform(document.Descriptor, manifest, OciJson.ReadConfig(config.Content.Span).WithPlatform(indexed))
            : null;
    }
}
