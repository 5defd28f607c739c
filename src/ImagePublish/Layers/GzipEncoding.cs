using System.Buffers.Binary;
using ImagePublish.Layers.Deflate;

namespace ImagePublish.Layers;

/// <summary>gzip in blocks that are compressed side by side, as <c>pigz</c> does: by our own deflate, or by the runtime's zlib where a
/// level is asked for.</summary>
/// <remarks>
/// The blob is one ordinary gzip member (<see href="https://www.rfc-editor.org/rfc/rfc1952">RFC 1952</see>), which every reader accepts:
/// the blocks' deflate streams end at a byte boundary and are joined; the checksum of the whole is computed from those of the blocks.
/// </remarks>
internal sealed class GzipEncoding(int? level) : ILayerEncoding
{
    private const int OwnBlockSize = (1 << 19) - Deflater.WindowSize;

    /// <summary>Each starts without the 32 KiB before it; that costs 0.07% of the size.</summary>
    private const int ZlibBlockSize = 1 << 21;

    private static readonly byte[] FinalBlock = [0x03, 0x00];

    private uint crc;
    private uint size;

    /// <summary>Tells everything that decides the bytes besides the tar: zlib's differ from version to version, and from one family of
    /// processors to another.</summary>
    public static string Key(int? level)
    {
        if (level is null)
            return $"gzip-own{Deflater.Version}-{OwnBlockSize}";
        var processor = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return $"gzip-{level}-{ZlibBlockSize}-dotnet{Environment.Version}-{processor}";
    }

    public int BlockSize => level is null ? OwnBlockSize : ZlibBlockSize;

    public int WindowSize => level is null ? Deflater.WindowSize : 0;

    /// <summary>No name, no time, and 255 (unknown) for the operating system: the same bytes everywhere.</summary>
    public ReadOnlyMemory<byte> Start => new byte[] { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };

    public IBlockEncoder CreateBlockEncoder() =>
        level is { } zlib ? new ZlibBlockEncoder(zlib, ZlibBlockSize) : new DeflateBlockEncoder(OwnBlockSize);

    public void Add(Block block)
    {
        crc = Crc32Combination.Combine(crc, ((GzipBlockEncoder)block.Encoder!).Crc, block.Length);
        size += (uint)block.Length;
    }

    public ReadOnlyMemory<byte> End()
    {
        var end = new byte[FinalBlock.Length + 8];
        FinalBlock.CopyTo(end, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(FinalBlock.Length), crc);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(FinalBlock.Length + 4), size);
        return end;
    }
}
