using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>The local store: an OCI image layout that many processes may use at once, and that skopeo, podman and oras read as <c>oci:folder:name</c>.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">image-spec, Image Layout</see>. Blobs are found by their digest, written beside
/// and moved into place, so they need no lock; the list of images is changed under one. An image is listed only when all of its content is there.
/// </remarks>
internal sealed partial class ImageStore
{
    private readonly StoreDisk disk;
    private readonly StoreIndexFile index;

    private ImageStore(StoreDisk disk)
    {
        this.disk = disk;
        index = new StoreIndexFile(disk);
        Records = new CacheRecords(disk);
    }

    /// <summary>The store's folder, a full path.</summary>
    public string Folder => disk.Layout.Folder;

    /// <summary>Small records that live and age with the store.</summary>
    public CacheRecords Records { get; }

    /// <summary>The disk that the store is on.</summary>
    internal StoreDisk Disk => disk;

    /// <summary>The list of images.</summary>
    internal StoreIndexFile Index => index;

    /// <summary>Opens a store and makes it one if the folder is none yet.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the folder can't be created; <c>IMG3103</c>: it is of another kind.</exception>
    public static ImageStore Open(string folder, StoreOptions options)
    {
        var disk = new StoreDisk(new StoreLayout(Path.GetFullPath(folder)), options);
        disk.Claim();
        LayoutMarker.Ensure(disk);
        return new ImageStore(disk);
    }

    /// <summary>Finds a blob, and notes that it was used: it will not be pruned for the grace period.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: a link stands in its place.</exception>
    public FileBlobSource? FindBlob(Descriptor descriptor)
    {
        var blob = FindWithoutTouch(descriptor);
        return blob is not null && disk.Touch(blob.Path) ? blob : null;
    }

    /// <summary>Begins a new blob.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public BlobWriter CreateBlob() => new(disk, verifies: true);

    /// <summary>Begins a new blob that is digested as it is made: the same bytes are not hashed a second time to compare.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    internal BlobWriter CreateDigestedBlob() => new(disk, verifies: false);

    /// <summary>Puts a small blob into the store, unless it is there.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: the bytes are not the blob's; <c>IMG3101</c>: the disk refuses.</exception>
    public Task<FileBlobSource> PutAsync(MemoryBlobSource blob, CancellationToken cancellationToken) =>
        PutAsync((BlobSource)blob, cancellationToken);

    /// <summary>Streams a blob into the store, unless it is there, and verifies it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: the bytes are not the blob's; <c>IMG3101</c>: the disk refuses; or what the source fails with.</exception>
    public async Task<FileBlobSource> PutAsync(BlobSource blob, CancellationToken cancellationToken)
    {
        if (FindBlob(blob.Descriptor) is { } present)
            return present;
        await using var writer = CreateBlob();
        await using (var content = await blob.OpenAsync(0, cancellationToken))
            await content.CopyToAsync(writer, cancellationToken);
        return await writer.CommitAsync(blob.Descriptor, blob.WrongContent, cancellationToken);
    }

    /// <summary>Opens a blob so that whoever has read it to its end has read what its digest promises.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: it is not there; <c>IMG3101</c>: the disk refuses.</exception>
    public Stream OpenVerified(Descriptor descriptor)
    {
        var blob = FindWithoutTouch(descriptor) ?? throw Missing(descriptor, null);
        return new VerifyingStream(disk.Run(blob.Path, Open), descriptor, () => Damaged(blob.Path));

        FileStream Open(string path)
        {
            try
            {
                return new FileStream(
                    path,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.Read | FileShare.Delete,
                    bufferSize: 0,
                    FileOptions.Asynchronous | FileOptions.SequentialScan
                );
            }
            catch (FileNotFoundException)
            {
                throw Missing(descriptor, null);
            }
        }
    }

    /// <summary>Reads a small blob whole and verifies it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: it is damaged or too large; <c>IMG3104</c>: it is not there; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<MemoryBlobSource> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        await using var content = OpenVerified(descriptor);
        if (descriptor.Size > limit)
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{disk.Layout.BlobFile(descriptor.Digest)}' has {descriptor.Size} bytes; at most {limit} are allowed for {Text.Sanitize(descriptor.MediaType)}."
            );
        var bytes = new byte[descriptor.Size];
        await content.ReadExactlyAsync(bytes, cancellationToken);
        if (bytes.Length == 0)
            await content.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, cancellationToken);
        return new MemoryBlobSource(descriptor, bytes);
    }

    /// <summary>Finds a blob without counting as a use.</summary>
    internal FileBlobSource? FindWithoutTouch(Descriptor descriptor)
    {
        var path = disk.Layout.BlobFile(descriptor.Digest);
        var file = new FileInfo(path);
        if (!file.Exists)
            return null;

        // A link could show any file of this machine as content of an image.
        if (file.LinkTarget is not null)
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{path}' is a link; blobs must be files. Run the target PruneImages with -p:ImageRepair=true."
            );
        return file.Length == descriptor.Size ? new FileBlobSource(descriptor, path) : null;
    }

    internal ImagePublishException Missing(Descriptor descriptor, string? name) =>
        new(
            DiagnosticCodes.StoreIncomplete,
            $"The local store in '{Folder}' lacks {descriptor.Digest} ({descriptor.Size} bytes)"
                + (name is null ? "" : $" of '{Text.Sanitize(name)}'")
                + ". Publish or copy the image again, or run the target PruneImages with -p:ImageRepair=true."
        );

    private static ImagePublishException Damaged(string path) =>
        new(
            DiagnosticCodes.StoreDamaged,
            $"'{path}' is damaged: its content differs from its digest. Run the target PruneImages with -p:ImageRepair=true, then publish again."
        );
}
