using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ImagePublish.Tasks.Traces;

/// <summary>OTLP in JSON.</summary>
/// <remarks>Protobuf's mapping, with identifiers in hexadecimal digits: <see
/// href="https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding">JSON Protobuf Encoding</see>. Numbers of 64 bits are
/// text.</remarks>
internal sealed class OtlpJsonWriter : IOtlpWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new();
    private readonly Utf8JsonWriter json;

    public OtlpJsonWriter()
    {
        json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
    }

    public string MediaType => "application/json";

    public void WriteText(OtlpField field, string value) => json.WriteString(field.Name, value);

    public void WriteId(OtlpField field, string hex) => json.WriteString(field.Name, hex);

    public void WriteBool(OtlpField field, bool value) => json.WriteBoolean(field.Name, value);

    public void WriteEnum(OtlpField field, int value) => json.WriteNumber(field.Name, value);

    public void WriteInteger(OtlpField field, long value) => json.WriteString(field.Name, value.ToString(CultureInfo.InvariantCulture));

    public void WriteFlags(OtlpField field, uint value) => json.WriteNumber(field.Name, value);

    public void WriteTime(OtlpField field, ulong nanoseconds) =>
        json.WriteString(field.Name, nanoseconds.ToString(CultureInfo.InvariantCulture));

    public void WriteMessage(OtlpField field, Action write)
    {
        json.WriteStartObject(field.Name);
        write();
        json.WriteEndObject();
    }

    public void WriteMessages<T>(OtlpField field, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(field.Name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public void Dispose() => json.Dispose();

    public byte[] ToArray()
    {
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
