using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Writes images that were published to archives and into container engines, with all their platforms.</summary>
internal sealed class ImageExporter(RegistryClient registries, ImageStore store)
{
    private readonly ImageOpener sources = new(registries, store);

    /// <summary>Writes an image to an archive: to a temporary file first, which is then renamed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3107</c>: the disk refuses; or what its source fails with.</exception>
    public async Task ArchiveAsync(
        ImageSource source,
        IReadOnlyList<string> names,
        Platform preferred,
        string path,
        CancellationToken cancellationToken
    ) => await ArchiveWriter.WriteAsync([await ReadAsync(source, names, preferred, cancellationToken)], path, cancellationToken);

    /// <summary>Loads an image into a container engine.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine refuses; or what its source fails with.</exception>
    public async Task<LoadedImage> LoadAsync(
        ImageSource source,
        IReadOnlyList<string> names,
        Platform preferred,
        IContainerEngine engine,
        CancellationToken cancellationToken
    ) => await engine.LoadAsync(await ReadAsync(source, names, preferred, cancellationToken), cancellationToken);

    private async Task<ArchiveImage> ReadAsync(
        ImageSource source,
        IReadOnlyList<string> names,
        Platform preferred,
        CancellationToken cancellationToken
    ) =>
        source switch
        {
            StoreImage => await new LocalImages(store).LoadAsync(source, cancellationToken) with { Names = names, Preferred = preferred },
            RegistryImage remote => await ReadAsync(remote.Reference, names, preferred, cancellationToken),
            _ => throw new ArgumentException($"{source} is neither in a registry nor in the local store.", nameof(source)),
        };

    private async Task<ArchiveImage> ReadAsync(
        Reference reference,
        IReadOnlyList<string> names,
        Platform preferred,
        CancellationToken cancellationToken
    )
    {
        var root = (await sources.OpenAsync(new RegistryImage(reference), cancellationToken)).Root;
        Descriptor[] manifests = MediaTypes.IsIndex(root.Descriptor.MediaType)
            ? [.. OciJson.ReadIndex(root.Content.Span).Manifests]
            : [root.Descriptor];
        var (platforms, others) = (new List<Image>(), new List<BlobSource>());
        try
        {
            foreach (var manifest in manifests.Where(manifest => MediaTypes.IsManifest(manifest.MediaType)))
            {
                var document =
                    manifest.Digest == root.Descriptor.Digest
                        ? root
                        : await sources.Documents.FindAsync(reference.Repository.ReferenceTo(manifest.Digest), cancellationToken);
                if (document is null)
                    continue;
                if (manifest.Platform?.Os == "unknown")
                    others.AddRange(BlobsOf(document, reference.Repository));
                else if (await sources.Documents.ReadImageAsync(reference.Repository, document, _ => null, cancellationToken) is { } image)
                    platforms.Add(Local(image.In(registries, reference.Repository)));
            }
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{reference}' is malformed: {Text.Sanitize(exception.Message)}",
                exception
            );
        }

        return new ArchiveImage(root, platforms, names) { Preferred = preferred, OtherBlobs = others };
    }

    // Of an attestation in the index: an archive that names it has it.
    private IEnumerable<BlobSource> BlobsOf(MemoryBlobSource document, Repository repository)
    {
        var manifest = OciJson.ReadManifest(document.Content.Span);
        var blobs = manifest.Layers.Prepend(manifest.Config).DistinctBy(blob => blob.Digest);
        return blobs.Select(blob => registries.Blob(repository, blob)).Prepend(document);
    }

    // What was built here need not be fetched.
    private Image Local(Image image) =>
        new(
            image.Manifest,
            image.ConfigBlob,
            image.Config,
            [
                .. image.Layers.Select(layer =>
                    layer with
                    {
                        Source = layer.Source is null ? null : store.FindBlob(layer.Descriptor) ?? layer.Source,
                    }
                ),
            ]
        );
}
