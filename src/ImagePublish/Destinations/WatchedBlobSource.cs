using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>A blob of which it is told how much was read.</summary>
internal sealed class WatchedBlobSource(BlobSource blob, IPublishLog log) : BlobSource(blob.Descriptor)
{
    public override async ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        new WatchedStream(await blob.OpenAsync(offset, cancellationToken), bytes => log.Sent(Descriptor.Digest.Value, bytes));

    internal override ImagePublishException? WrongContent() => blob.WrongContent();

    /// <summary>Puts a blob into the local store, which may take as long as its registry takes to send it.</summary>
    public static async Task PutAsync(BlobSource blob, ImageStore store, IPublishLog log, CancellationToken cancellationToken)
    {
        log.Sending(blob.Descriptor.Digest.Value, blob.Descriptor.Size);
        try
        {
            await store.PutAsync(new WatchedBlobSource(blob, log), cancellationToken);
        }
        finally
        {
            log.Settled(blob.Descriptor.Digest.Value);
        }
    }

    private sealed class WatchedStream(Stream inner, Action<long> read) : ReadOnlyStream
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
