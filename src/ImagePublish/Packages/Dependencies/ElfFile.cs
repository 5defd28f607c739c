using System.Buffers.Binary;
using System.Text;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What a native library or program says that it needs.</summary>
/// <remarks>
/// <see href="https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html">System V ABI, Dynamic Linking</see>; what is damaged needs
/// nothing.
/// </remarks>
internal sealed record ElfFile(int Machine, IReadOnlyList<string> Needed)
{
    private const int HeaderSize = 64;
    private const int SegmentSize64 = 56;
    private const int SegmentSize32 = 32;
    private const int MaxNeeded = 1000;
    private const int Load = 1;
    private const int Dynamic = 2;
    private const int TagNeeded = 1;
    private const int TagStrings = 5;

    public static ElfFile? TryRead(Stream file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (
            file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize
            || !header[..4].SequenceEqual("\u007fELF"u8)
            || header[5] != 1
            || header[4] is not (1 or 2)
        )
            return null;
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        try
        {
            return new ElfFile(machine, ReadNeeded(file, header));
        }
        catch (Exception exception) when (exception is EndOfStreamException or ArgumentException or OverflowException or IOException)
        {
            return new ElfFile(machine, []);
        }
    }

    private static List<string> ReadNeeded(Stream file, ReadOnlySpan<byte> header)
    {
        var is64 = header[4] == 2;
        var segments = ReadSegments(file, header, is64);
        var needed = new List<string>();
        if (segments.Find(segment => segment.Kind == Dynamic) is not { Size: > 0 } dynamic)
            return needed;
        var entries = ReadDynamic(Read(file, dynamic.Offset, dynamic.Size), is64);
        var strings = entries.Find(entry => entry.Tag == TagStrings)?.Value ?? 0;
        if (
            segments.Find(segment => segment.Kind == Load && strings >= segment.Address && strings < segment.Address + segment.Size)
            is not { Size: > 0 } segment
        )
            return needed;
        foreach (var name in entries.Where(entry => entry.Tag == TagNeeded).Take(MaxNeeded))
            needed.Add(ReadText(file, checked(segment.Offset + (strings - segment.Address) + name.Value)));
        return needed;
    }

    private static List<Segment> ReadSegments(Stream file, ReadOnlySpan<byte> header, bool is64)
    {
        var offset = is64 ? BinaryPrimitives.ReadInt64LittleEndian(header[32..]) : BinaryPrimitives.ReadUInt32LittleEndian(header[28..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(header[(is64 ? 54 : 42)..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header[(is64 ? 56 : 44)..]);
        var segments = new List<Segment>();
        var known = is64 ? SegmentSize64 : SegmentSize32;
        for (var number = 0; number < count && size >= known; number++)
        {
            var bytes = Read(file, offset + ((long)number * size), known).AsSpan();
            var kind = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            segments.Add(
                is64
                    ? new Segment(
                        kind,
                        BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
                        BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
                        BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])
                    )
                    : new Segment(
                        kind,
                        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
                        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
                        BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..])
                    )
            );
        }

        return segments;
    }

    private static List<DynamicEntry> ReadDynamic(byte[] bytes, bool is64)
    {
        var entries = new List<DynamicEntry>();
        var width = is64 ? 8 : 4;
        for (var at = 0; at + (2 * width) <= bytes.Length; at += 2 * width)
        {
            var (tag, value) = is64
                ? (
                    BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at)),
                    BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + width))
                )
                : (
                    BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at)),
                    BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + width))
                );
            if (tag == 0)
                break;
            entries.Add(new DynamicEntry(tag, value));
        }

        return entries;
    }

    private static byte[] Read(Stream file, long offset, long size)
    {
        if (offset < 0 || size is < 0 or > 1 << 20)
            throw new EndOfStreamException();
        file.Position = offset;
        var bytes = new byte[size];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static string ReadText(Stream file, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        file.Position = offset;
        var bytes = new byte[256];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var end = bytes.AsSpan(0, read).IndexOf((byte)0);
        return end > 0 ? Encoding.UTF8.GetString(bytes, 0, end) : throw new EndOfStreamException();
    }

    private sealed record Segment(int Kind, long Offset, long Address, long Size);

    private sealed record DynamicEntry(long Tag, long Value);
}
