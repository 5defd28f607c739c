using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>Reads images of the store, which is an image layout as any other.</summary>
internal static class StoredImageLoader
{
    /// <summary>Loads an image by its name: for a base, a copy, an archive, or to show it. Its layers' bytes are in the store.</summary>
    /// <returns>The image with the platforms that the store has, or null if there is no such name.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list, or a document of
    /// it, is damaged; <c>IMG3101</c>.</exception>
    public static async Task<ArchiveImage?> LoadAsync(this ImageStore store, string name, CancellationToken cancellationToken)
    {
        var list = await store.Index.ReadAsync(cancellationToken);
        if (list.Manifests.FirstOrDefault(entry => ReferenceNames.IsMeant(entry, name)) is not { } entry)
            return null;
        return await store.LoadAsync(entry, name, cancellationToken, list);
    }

    /// <summary>Loads an image by its manifest or index, whether the list has it or not; null if it is something else.</summary>
    /// <param name="list">The store's list, which has what is attached to the image; null where that is not wanted.</param>
    public static async Task<ArchiveImage?> LoadAsync(
        this ImageStore store,
        Descriptor entry,
        string name,
        CancellationToken cancellationToken,
        ImageIndex? list = null
    )
    {
        await store.RequireAsync(entry, cancellationToken);
        store.FindBlob(entry);
        try
        {
            var reader = new LayoutReader(new FolderFiles(store.Folder));
            var image = await reader.ReadRootAsync(entry, [name], cancellationToken);
            return image is null || list?.Manifests.Any(other => StoredAttachments.SubjectOf(other) is not null) != true
                ? image
                : image with
                {
                    Attachments = await reader.ReadAttachmentsAsync(list, image, cancellationToken),
                };
        }
        catch (Exception exception)
            when (exception is JsonException
                || (exception is ImagePublishException failure && failure.Code == DiagnosticCodes.ArchiveInvalid)
            )
        {
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{Text.Sanitize(name)}' is damaged in the local store: {Text.Sanitize(exception.Message).TrimEnd('.')}. "
                    + "Run the target PruneImages with -p:ImageRepair=true, then publish again.",
                exception
            );
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw store.Disk.Refused(store.Disk.Layout.BlobFile(entry.Digest), exception);
        }
    }
}
