using System.Security.Cryptography;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>Reads content and checks it: whoever has read to the end has read what the descriptor promises.</summary>
internal sealed class VerifyingStream(Stream inner, Descriptor descriptor, Func<ImagePublishException> failure) : ReadOnlyStream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(descriptor.Digest.HashAlgorithm);
    private long position;
    private bool verified;

    public override long Length => descriptor.Size;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Verify(buffer[..count], buffer.Length);
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        Verify(buffer.Span[..count], buffer.Length);
        return count;
    }

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
