using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Blobs;

/// <summary>Reads a blob for sending, any part of it as often as needed, and checks on the way that it still is what its descriptor
/// says.</summary>
/// <remarks>The last bytes are held back until the digest is right: a file that changed can never become a complete upload.</remarks>
internal sealed class BlobReader(BlobSource blob) : IDisposable
{
    private const int BufferSize = 256 * 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(blob.Descriptor.Digest.HashAlgorithm);
    private readonly Lock gate = new();
    private long hashed;
    private (long Offset, Stream Stream)? prepared;

    /// <summary>What went wrong with the blob itself, and not with the connection to the target.</summary>
    public ImagePublishException? Problem { get; private set; }

    /// <summary>Opens a blob that is in a registry before a request to the target begins: the target would not keep that open while the
    /// source asks to wait.</summary>
    public async Task PrepareAsync(long offset, CancellationToken cancellationToken)
    {
        if (!blob.IsRemote || prepared?.Offset == offset)
            return;
        await ClosePreparedAsync();
        prepared = (offset, await blob.OpenAsync(offset, cancellationToken));
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        long offset,
        long length,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (length == 0)
            yield break;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await using var stream = await GuardAsync(() => TakeAsync(offset, cancellationToken));
            for (var at = offset; at < offset + length; )
            {
                var wanted = (int)Math.Min(buffer.Length, offset + length - at);
                var read = await GuardAsync(() => stream.ReadAsync(buffer.AsMemory(0, wanted), cancellationToken));
                if (read == 0)
                    throw Changed("it became shorter");
                Check(at, buffer.AsSpan(0, read));
                at += read;
                yield return buffer.AsMemory(0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        prepared?.Stream.Dispose();
        lock (gate)
            hash.Dispose();
    }

    private async ValueTask<Stream> TakeAsync(long offset, CancellationToken cancellationToken)
    {
        if (prepared is var (at, stream) && at == offset)
        {
            prepared = null;
            return stream;
        }

        await ClosePreparedAsync();
        return await blob.OpenAsync(offset, cancellationToken);
    }

    // Before another one is opened: an upload that held two could wait for itself.
    private async ValueTask ClosePreparedAsync()
    {
        if (prepared is not var (_, stream))
            return;
        prepared = null;
        await stream.DisposeAsync();
    }

    // What is read a second time, after the connection was lost, was hashed the first time. Two may read at once: a body that is no longer
    // wanted may still be on its way.
    private void Check(long at, ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            var end = at + bytes.Length;
            if (at > hashed || end <= hashed)
                return;
            hash.AppendData(bytes[(int)(hashed - at)..]);
            hashed = end;
            if (hashed == blob.Descriptor.Size && !blob.Descriptor.Digest.Matches(hash.GetCurrentHash()))
                throw Problem = blob.WrongContent() ?? Changed("its content is not what its digest says");
        }
    }

    private async ValueTask<T> GuardAsync<T>(Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (ImagePublishException e)
        {
            Problem = e;
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Problem = new ImagePublishException(DiagnosticCodes.UnreadableFile, $"Could not read {blob.Location}: {e.Message}", e);
            throw Problem;
        }
    }

    private ImagePublishException Changed(string how) =>
        Problem = new ImagePublishException(
            DiagnosticCodes.UnreadableFile,
            $"{blob.Location} changed while it was uploaded: {how}. Build again, and let nothing write there meanwhile."
        );
}
