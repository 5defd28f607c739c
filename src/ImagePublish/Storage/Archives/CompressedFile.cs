using System.IO.Compression;
using ImagePublish.Oci;
using ZstdSharp;

namespace ImagePublish.Storage.Archives;

/// <summary>Recognises compressed content by its first bytes and reads through the compression.</summary>
internal static class CompressedFile
{
    /// <summary>How content is compressed; null for a compression that is not read here.</summary>
    public static Compression? Detect(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return Compression.Gzip;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return Compression.Zstd;
        return head.StartsWith("BZh"u8) || head.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z']) ? null : Compression.None;
    }

    /// <summary>How content is compressed; null for a compression that is not read here.</summary>
    public static async Task<Compression?> DetectAsync(Stream content, CancellationToken cancellationToken)
    {
        var head = new byte[6];
        var count = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return Detect(head.AsSpan(0, count));
    }

    /// <summary>The content under the compression.</summary>
    public static Stream Decompress(Stream content, Compression compression) =>
        compression switch
        {
            Compression.Gzip => new GZipStream(content, CompressionMode.Decompress),
            Compression.Zstd => new DecompressionStream(content, leaveOpen: false),
            _ => content,
        };
}
