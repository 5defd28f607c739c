using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>Reads content and checks it: whoever has read to the end has read what the descriptor promises.</summary>
/// <param name="inner">The content, from its beginning; disposed with this.</param>
/// <param name="descriptor">What it must be.</param>
/// <param name="failure">The error for content that is something else.</param>
internal sealed class VerifyingStream(Stream inner, Descriptor descriptor, Func<ImagePublishException> failure) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(descriptor.Digest.HashAlgorithm);
    private long position;
    private bool verified;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => descriptor.Size;

    /// <inheritdoc/>
    public override long Position { get => position; set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Verify(buffer[..count], buffer.Length);
        return count;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        Verify(buffer.Span[..count], buffer.Length);
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            hash.Dispose();
        }

        base.Dispose(disposing);
    }

    // The last bytes are checked before they are handed out: a reader that stops at the known length has verified them too.
    private void Verify(ReadOnlySpan<byte> read, int wanted)
    {
        if (verified && read.IsEmpty)
            return;
        hash.AppendData(read);
        position += read.Length;
        var ended = read.IsEmpty && wanted > 0;
        if (position > descriptor.Size || (ended && position < descriptor.Size))
            throw failure();
        if (position < descriptor.Size || verified)
            return;
        if (!descriptor.Digest.Matches(hash.GetHashAndReset()))
            throw failure();
        verified = true;
    }
}
