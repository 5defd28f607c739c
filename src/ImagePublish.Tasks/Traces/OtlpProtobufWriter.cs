using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ImagePublish.Tasks.Traces;

/// <summary>OTLP in protobuf.</summary>
/// <remarks><see href="https://protobuf.dev/programming-guides/encoding/">The encoding</see>: each field is a number with a wire type, and
/// what has a length begins with it.</remarks>
internal sealed class OtlpProtobufWriter : IOtlpWriter
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    // The innermost message last: its length is written before it once it is whole.
    private readonly Stack<ArrayBufferWriter<byte>> messages = new([new ArrayBufferWriter<byte>()]);

    public string MediaType => "application/x-protobuf";

    private ArrayBufferWriter<byte> Message => messages.Peek();

    public void WriteText(OtlpField field, string value) => WriteBytes(field, Encoding.UTF8.GetBytes(value));

    public void WriteId(OtlpField field, string hex) => WriteBytes(field, Convert.FromHexString(hex));

    public void WriteBool(OtlpField field, bool value) => WriteInteger(field, value ? 1 : 0);

    public void WriteEnum(OtlpField field, int value) => WriteInteger(field, value);

    public void WriteInteger(OtlpField field, long value)
    {
        WriteKey(field, Varint);
        WriteVarint((ulong)value);
    }

    public void WriteFlags(OtlpField field, uint value)
    {
        WriteKey(field, Fixed32);
        BinaryPrimitives.WriteUInt32LittleEndian(Message.GetSpan(sizeof(uint)), value);
        Message.Advance(sizeof(uint));
    }

    public void WriteTime(OtlpField field, ulong nanoseconds)
    {
        WriteKey(field, Fixed64);
        BinaryPrimitives.WriteUInt64LittleEndian(Message.GetSpan(sizeof(ulong)), nanoseconds);
        Message.Advance(sizeof(ulong));
    }

    public void WriteMessage(OtlpField field, Action write)
    {
        messages.Push(new ArrayBufferWriter<byte>());
        write();
        var inner = messages.Pop();
        WriteBytes(field, inner.WrittenSpan);
    }

    public void WriteMessages<T>(OtlpField field, IEnumerable<T> items, Action<T> write)
    {
        foreach (var item in items)
            WriteMessage(field, () => write(item));
    }

    public void Dispose() { }

    public byte[] ToArray() => Message.WrittenSpan.ToArray();

    private void WriteBytes(OtlpField field, ReadOnlySpan<byte> bytes)
    {
        WriteKey(field, LengthDelimited);
        WriteVarint((ulong)bytes.Length);
        Message.Write(bytes);
    }

    private void WriteKey(OtlpField field, int wireType) => WriteVarint((ulong)((field.Number << 3) | wireType));

    private void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Message.Write([(byte)(value | 0x80)]);
        Message.Write([(byte)value]);
    }
}
