using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>How JSON is written that people read as well as scripts: one line for each value, so that a change is easy to see, and the same
/// on every system.</summary>
internal static class ReadableJson
{
    public static JsonWriterOptions WriterOptions { get; } =
        new()
        {
            Indented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };

    /// <summary>A document with foreign text in it that somebody may print: agents of CI systems read what a build prints. In JSON a
    /// character has another spelling that means the same.</summary>
    public static string Printable(ReadOnlySpan<byte> json) =>
        Encoding.UTF8.GetString(json).Replace("##", @"#\u0023", StringComparison.Ordinal);

    /// <summary>For documents that are types. Each serializer's context wants options of its own.</summary>
    public static JsonSerializerOptions NewOptions() =>
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            RespectNullableAnnotations = true,
            WriteIndented = true,
            NewLine = "\n",
        };
}
