using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>A blob on its way into the store, which may take as long as a registry takes to send it.</summary>
internal sealed class LoggedBlobSource(BlobSource blob, IPublishLog log) : BlobSource(blob.Descriptor)
{
    /// <summary>Streams a blob into the store, unless it is there, and shows its progress.</summary>
    public static async Task<FileBlobSource> PutAsync(
        ImageStore store,
        BlobSource blob,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        if (store.FindBlob(blob.Descriptor) is { } present)
            return present;
        log.Sending(blob.Descriptor.Digest.Value, blob.Descriptor.Size);
        try
        {
            return await store.PutAsync(new LoggedBlobSource(blob, log), cancellationToken);
        }
        finally
        {
            log.Settled(blob.Descriptor.Digest.Value);
        }
    }

    public override async ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        new LoggedStream(await blob.OpenAsync(offset, cancellationToken), bytes => log.Sent(Descriptor.Digest.Value, bytes));

    internal override ImagePublishException? WrongContent() => blob.WrongContent();

    private sealed class LoggedStream(Stream inner, Action<long> read) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            if (count > 0)
                read(count);
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
