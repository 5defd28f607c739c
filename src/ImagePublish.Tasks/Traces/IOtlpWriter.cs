namespace ImagePublish.Tasks.Traces;

/// <summary>A field of OTLP's messages: its number in protobuf, and its name in JSON.</summary>
internal readonly record struct OtlpField(int Number, string Name);

/// <summary>Writes messages of OTLP in one of its two encodings. Fields are written once, in any order.</summary>
/// <remarks>See <see href="https://opentelemetry.io/docs/specs/otlp/#otlphttp">OTLP/HTTP</see>, and the definitions in <see
/// href="https://github.com/open-telemetry/opentelemetry-proto">opentelemetry-proto</see>.</remarks>
internal interface IOtlpWriter : IDisposable
{
    string MediaType { get; }

    void WriteText(OtlpField field, string value);

    /// <summary>The bytes of an identifier, which are given as hexadecimal digits.</summary>
    void WriteId(OtlpField field, string hex);

    void WriteBool(OtlpField field, bool value);

    void WriteEnum(OtlpField field, int value);

    void WriteInteger(OtlpField field, long value);

    void WriteFlags(OtlpField field, uint value);

    void WriteTime(OtlpField field, ulong nanoseconds);

    void WriteMessage(OtlpField field, Action write);

    void WriteMessages<T>(OtlpField field, IEnumerable<T> items, Action<T> write);

    /// <summary>The whole message.</summary>
    byte[] ToArray();
}
