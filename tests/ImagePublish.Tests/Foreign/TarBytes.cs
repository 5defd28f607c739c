using System.Globalization;
using System.Text;

namespace ImagePublish.Tests.Foreign;

/// <summary>Makes tars that no honest tool would: every field is what a test says.</summary>
internal static class TarBytes
{
    private const int BlockSize = 512;

    public static byte[] Header(string name, char type, long size)
    {
        var header = new byte[BlockSize];
        Encoding.UTF8.GetBytes(name.Length > 100 ? name[..100] : name).CopyTo(header, 0);
        "0000644"u8.CopyTo(header.AsSpan(100));
        "0000000"u8.CopyTo(header.AsSpan(108));
        "0000000"u8.CopyTo(header.AsSpan(116));
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0')).CopyTo(header, 124);
        "00000000000"u8.CopyTo(header.AsSpan(136));
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        header.AsSpan(148, 8).Fill((byte)' ');
        var sum = header.Sum(value => value);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        return header;
    }

    /// <summary>A header and its content, padded.</summary>
    public static byte[] Entry(string name, char type, byte[] content) =>
        [.. Header(name, type, content.Length), .. content, .. new byte[(BlockSize - (content.Length % BlockSize)) % BlockSize]];

    /// <summary>An extended header with one attribute.</summary>
    public static byte[] Attribute(string name, string value)
    {
        var rest = Encoding.UTF8.GetByteCount($" {name}={value}\n");
        var length = rest;
        while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
            length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
        return Entry("pax", 'x', Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {name}={value}\n")));
    }

    public static byte[] End { get; } = new byte[2 * BlockSize];

    /// <summary>A file with a name of any length.</summary>
    public static byte[] File(string path, byte[]? content = null) => [.. Attribute("path", path), .. Entry("file", '0', content ?? [])];
}

/// <summary>Bytes, and then zeros without end: as many as nobody would put into a test.</summary>
internal sealed class EndlessStream(byte[] start) : Stream
{
    private long position;

    /// <summary>How many bytes were read.</summary>
    public long Count => position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        buffer.Clear();
        if (position < start.Length)
        {
            var part = start.AsSpan((int)position);
            part[..Math.Min(part.Length, buffer.Length)].CopyTo(buffer);
        }

        position += buffer.Length;
        return buffer.Length;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
