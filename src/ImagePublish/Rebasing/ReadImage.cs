using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;

namespace ImagePublish.Rebasing;

/// <summary>An image with the documents of all its platforms.</summary>
/// <param name="Index">The index that it is; null for an image of one platform.</param>
internal sealed record ReadImage(
    Reference Reference,
    MemoryBlobSource Root,
    ImageIndex? Index,
    IReadOnlyList<ImageDocuments> Platforms,
    IReadOnlyList<Descriptor> Others
)
{
    private const int MaxPlatforms = 64;

    /// <summary>Reads an image: documents only, and none that this machine has.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2003</c>: it is damaged; <c>IMG4006</c>: there is none; or what the registry fails
    /// with.</exception>
    public static async Task<ReadImage> LoadAsync(
        RegistryClient registries,
        RegistryDocuments documents,
        Reference reference,
        CancellationToken cancellationToken
    )
    {
        var root = await documents.FindAsync(reference, cancellationToken)
            // Asked again for the registry's own error.
            ?? (await registries.GetManifestAsync(reference, cancellationToken)).Content;
        try
        {
            var index = MediaTypes.IsIndex(root.Descriptor.MediaType) ? OciJson.ReadIndex(root.Content.Span) : null;
            if (index?.Manifests.Count > MaxPlatforms)
                throw new JsonException($"it has {index.Manifests.Count} entries; at most {MaxPlatforms} are read");
            var platforms = new List<ImageDocuments>();
            var others = new List<Descriptor>();
            foreach (var entry in index?.Manifests ?? [root.Descriptor])
            {
                var document = index is null
                    ? root
                    : await documents.FindAsync(reference.Repository.ReferenceTo(entry.Digest), cancellationToken);
                if (entry.Platform?.Os == "unknown" || document is null || !MediaTypes.IsManifest(document.Descriptor.MediaType))
                    others.Add(entry);
                else
                    platforms.Add(await ReadAsync(documents, reference.Repository, document, cancellationToken));
            }

            return new ReadImage(reference, root, index, platforms, others);
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{reference}' can't be used: {Text.Sanitize(exception.Message).TrimEnd('.')}.",
                exception
            );
        }
    }

    private static async Task<ImageDocuments> ReadAsync(
        RegistryDocuments documents,
        Repository repository,
        MemoryBlobSource document,
        CancellationToken cancellationToken
    ) =>
        await documents.ReadImageAsync(repository, document, _ => null, cancellationToken)
        ?? throw new JsonException($"{document.Descriptor.Digest} is not an image");
}

/// <summary>The base that an image names: in its labels, as publishes of this package write them, or in its annotations.</summary>
/// <param name="Digest">What the name pointed at when the image was made; null where the image does not say.</param>
internal sealed record NamedBase(Reference Reference, Digest? Digest)
{
    private const int MaxName = 1000;

    public static NamedBase? Find(ImageDocuments image) => Find(image.Manifest, image.Config);

    public static NamedBase? Find(ImageManifest manifest, ImageConfig config) =>
        TryRead(config.Config?.Labels) ?? TryRead(manifest.Annotations);

    private static NamedBase? TryRead(IReadOnlyDictionary<string, string>? labels) =>
        labels?.GetValueOrDefault(Images.ImageLabels.BaseName) is { Length: <= MaxName } name
        && Reference.TryParse(name, out var reference, out _)
            ? new NamedBase(
                reference,
                Digest.TryParse(labels.GetValueOrDefault(Images.ImageLabels.BaseDigest), out var digest) ? digest : reference.Digest
            )
            : null;

    public override string ToString() => Reference.ToString();
}
