using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagePublish.Oci;

/// <summary>How JSON is written that people read as well as scripts: one line for each value, so that a change is easy to see, and the same on every system.</summary>
public static class ReadableJson
{
    /// <summary>For documents that are written value by value.</summary>
    public static JsonWriterOptions WriterOptions { get; } = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For documents that are types. Each serializer's context wants options of its own.</summary>
    /// <returns>New options.</returns>
    public static JsonSerializerOptions NewOptions() => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
    };
}
