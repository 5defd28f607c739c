using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.IO.Hashing;
using ImagePublish.Layers.Deflate;

namespace ImagePublish.Layers;

/// <summary>Encodes a block to deflate that ends at a byte boundary and is not final.</summary>
internal abstract class GzipBlockEncoder : IBlockEncoder
{
    public uint Crc { get; protected set; }

    public abstract ReadOnlyMemory<byte> Encode(Block block);

    public abstract void Dispose();
}

/// <summary>By our own deflate, which sees what comes before the block.</summary>
internal sealed class DeflateBlockEncoder(int blockSize) : GzipBlockEncoder
{
    private readonly Deflater deflater = new();
    private readonly byte[] output = ArrayPool<byte>.Shared.Rent(Deflater.MaxSize(blockSize));

    public override ReadOnlyMemory<byte> Encode(Block block)
    {
        Crc = Crc32.HashToUInt32(block.Input.Span);
        return output.AsMemory(0, deflater.Compress(block.WindowAndInput.Span, block.History, output));
    }

    public override void Dispose() => ArrayPool<byte>.Shared.Return(output);
}

/// <summary>By the runtime's zlib: a gzip member of its own, taken apart, since zlib has computed the checksum on the way.</summary>
internal sealed class ZlibBlockEncoder(int level, int blockSize) : GzipBlockEncoder
{
    private const int HeaderLength = 10;

    private readonly MemoryStream output = new(blockSize / 2);
    private readonly ZLibCompressionOptions options = new() { CompressionLevel = level };

    public override ReadOnlyMemory<byte> Encode(Block block)
    {
        output.SetLength(0);
        int end;
        using (var gzip = new GZipStream(output, options, leaveOpen: true))
        {
            gzip.Write(block.Input.Span);
            gzip.Flush();
            end = (int)output.Length;
        }

        var member = output.GetBuffer().AsMemory(0, (int)output.Length);
        Crc = BinaryPrimitives.ReadUInt32LittleEndian(member.Span[^8..]);
        if (member.Span[3] != 0 || !member.Span[..end].EndsWith((ReadOnlySpan<byte>)[0, 0, 0xff, 0xff]))
            throw new UnreachableException("The runtime's zlib wrote a gzip header with optional fields, or no sync flush.");
        return member[HeaderLength..end];
    }

    public override void Dispose() => output.Dispose();
}
