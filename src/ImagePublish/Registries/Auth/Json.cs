using System.Text.Json;

namespace ImagePublish.Registries.Auth;

/// <summary>Reads the small JSON documents of token services, credential files and helpers.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    /// <summary>Reads a document, passing over a byte-order mark.</summary>
    /// <exception cref="JsonException">It is malformed.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return JsonDocument.Parse(WithoutMark(utf8), Options);
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("It is not UTF-8.", exception);
        }
    }

    /// <summary>The bytes after a byte-order mark.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8) => utf8.Span.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;

    /// <summary>A property's text, or null where it is absent, empty or something else.</summary>
    public static string? Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var property) || property.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return property.GetString() is { Length: > 0 } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }
}
