using System.Buffers.Binary;
using System.Text;

namespace ImagePublish.Tests.Rebasing;

/// <summary>The smallest native library for x64 that names another that it needs.</summary>
internal static class NativeFile
{
    private const int Header = 64;
    private const int Segment = 56;
    private const int Entry = 16;

    public static byte[] Needing(string library)
    {
        var text = Encoding.ASCII.GetBytes($"\0{library}\0");
        var dynamic = Header + (2 * Segment);
        var strings = dynamic + (3 * Entry);
        var file = new byte[strings + text.Length];
        "\u007fELF"u8.CopyTo(file);
        (file[4], file[5], file[6]) = (2, 1, 1);
        Write16(16, 3);
        Write16(18, 62);
        Write64(32, Header);
        Write16(54, Segment);
        Write16(56, 2);
        WriteSegment(Header, kind: 1, offset: 0, file.Length);
        WriteSegment(Header + Segment, kind: 2, offset: dynamic, 3 * Entry);
        Write64(dynamic, 5);
        Write64(dynamic + 8, strings);
        Write64(dynamic + Entry, 1);
        Write64(dynamic + Entry + 8, 1);
        text.CopyTo(file, strings);
        return file;

        void WriteSegment(int at, int kind, int offset, int size)
        {
            Write16(at, kind);
            Write64(at + 8, offset);
            Write64(at + 16, offset);
            Write64(at + 32, size);
            Write64(at + 40, size);
        }

        void Write16(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)value);
        void Write64(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), value);
    }
}
