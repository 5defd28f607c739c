using System.Globalization;
using System.Text.Json;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Reads the small JSON documents of token services, credential files and helpers.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    /// <summary>Reads a document, passing over a byte-order mark. All its text is known to be good Unicode.</summary>
    /// <exception cref="JsonException">It is malformed.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        var json = WithoutMark(utf8);
        CheckText(json.Span);
        return JsonDocument.Parse(json, Options);
    }

    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8) => utf8.Span.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;

    /// <summary>A property's text, or null where it is absent, empty or something else.</summary>
    public static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var property)
        && property.ValueKind == JsonValueKind.String
        && property.GetString() is { Length: > 0 } text
            ? text
            : null;

    /// <summary>A property's number, which may be written as a text, or null where it is absent or something else.</summary>
    public static double? Number(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var property))
            return null;
        var text = property.ValueKind == JsonValueKind.String ? property.GetString() : property.GetRawText();
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    // The parser itself lets half a surrogate pair and broken UTF-8 pass, and every access to the document may then fail.
    private static void CheckText(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Options.MaxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                    reader.GetString();
            }
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("Its text is not Unicode.", exception);
        }
    }
}
