using System.IO.Compression;
using ZstdSharp;

namespace ImagePublish.Common;

/// <summary>How content is compressed, as its first bytes show.</summary>
internal enum CompressionFormat
{
    None,
    Gzip,
    Zstd,
    Xz,

    Bzip2,
}

/// <summary>Recognises compressed content and reads through its compression. Every reader of foreign content goes through here.</summary>
/// <remarks>Damage is an <see cref="InvalidDataException"/>, whichever decoder finds it.</remarks>
internal static class CompressedStream
{
    public const int HeadLength = 10;

    private const int BzipLevel = 3;

    public static CompressionFormat Detect(ReadOnlySpan<byte> head) =>
        head switch
        {
            [0x1F, 0x8B, ..] => CompressionFormat.Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => CompressionFormat.Zstd,
            // A frame that is skipped, https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2; others follow it.
            [>= 0x50 and <= 0x5F, 0x2A, 0x4D, 0x18, ..] => CompressionFormat.Zstd,
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => CompressionFormat.Xz,
            _ => IsBzip2(head) ? CompressionFormat.Bzip2 : CompressionFormat.None,
        };

    /// <summary>How content is compressed. The stream is left behind its first bytes.</summary>
    public static async Task<CompressionFormat> DetectAsync(Stream content, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLength];
        var count = await content.ReadAtLeastAsync(head, HeadLength, throwOnEndOfStream: false, cancellationToken);
        return Detect(head.AsSpan(0, count));
    }

    /// <summary>Opens what is under the compression; disposing it disposes the content too.</summary>
    public static Stream Open(Stream content, CompressionFormat format) =>
        format switch
        {
            CompressionFormat.None => content,
            CompressionFormat.Gzip => new Decoder(new GZipStream(content, CompressionMode.Decompress)),
            CompressionFormat.Zstd => new Decoder(new DecompressionStream(content, leaveOpen: false)),
            CompressionFormat.Xz => new Decoder(new XzStream(content)),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "It can't be read."),
        };

    // The name of a tar's first file may begin with BZh: what follows the level is one of the two numbers that a bzip2 stream goes on with.
    private static bool IsBzip2(ReadOnlySpan<byte> head) =>
        head.StartsWith("BZh"u8)
        && head.Length >= HeadLength
        && head[BzipLevel] is >= (byte)'1' and <= (byte)'9'
        && (
            head[(BzipLevel + 1)..].SequenceEqual((ReadOnlySpan<byte>)[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
            || head[(BzipLevel + 1)..].SequenceEqual((ReadOnlySpan<byte>)[0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
        );

    private sealed class Decoder(Stream inner) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                return inner.Read(buffer);
            }
            catch (Exception exception) when (IsDamage(exception))
            {
                throw new InvalidDataException(exception.Message, exception);
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception) when (IsDamage(exception))
            {
                throw new InvalidDataException(exception.Message, exception);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }

        // A zstd frame may ask for a window that this machine does not have.
        private static bool IsDamage(Exception exception) => exception is ZstdException or EndOfStreamException or OutOfMemoryException;
    }
}
