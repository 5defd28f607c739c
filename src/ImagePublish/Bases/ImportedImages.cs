using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Images from elsewhere on this machine that were copied into the local store, known by what they were copied from.</summary>
/// <remarks>No name in the store keeps them, only that they are used: after a prune they are copied again.</remarks>
internal sealed class ImportedImages(ImageStore store, string kind)
{
    /// <summary>Finds an image that was copied before.</summary>
    /// <returns>The image, whose layers are in the store; null if it was not copied, or is not whole any more.</returns>
    public async Task<ArchiveImage?> FindAsync(Digest key, string name, CancellationToken cancellationToken)
    {
        try
        {
            if (
                await store.Records.ReadAsync(kind, key, cancellationToken) is not { } record
                || OciJson.ReadIndex(record).Manifests is not [var root]
            )
                return null;
            var image = await store.LoadAsync(root, name, cancellationToken);
            return image?.Blobs.All(blob => store.FindBlob(blob.Descriptor) is not null) == true ? image : null;
        }
        catch (Exception exception)
            when (exception is JsonException
                || (exception is ImagePublishException failure && failure.Code == DiagnosticCodes.StoreIncomplete)
            )
        {
            // Pruned since.
            return null;
        }
    }

    public async Task<ArchiveImage> CopyAsync(ArchiveImage image, string name, CancellationToken cancellationToken)
    {
        foreach (var blob in image.Blobs)
            await store.PutAsync(blob, cancellationToken);
        return (await store.LoadAsync(EntryOf(image), name, cancellationToken))!;
    }

    public Task RememberAsync(Digest key, ArchiveImage image, CancellationToken cancellationToken) =>
        store.Records.WriteAsync(kind, key, OciJson.Write(new ImageIndex([EntryOf(image)])), cancellationToken);

    // docker save writes the whole index of an image, and only the platforms that it has.
    private static Descriptor EntryOf(ArchiveImage image) =>
        ReferenceNames.Entry(
            image.Root.Descriptor.Digest.Value,
            image.Root.Descriptor,
            MediaTypes.IsIndex(image.Root.Descriptor.MediaType)
        );
}
