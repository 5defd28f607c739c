using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace ImagePublish.Trust;

/// <summary>Reads the JSON of signatures: strictly, since two readers must not find two meanings in it.</summary>
internal static class SignatureJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string what)
    {
        try
        {
            var document = JsonDocument.Parse(json, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
        }
        catch (JsonException exception)
        {
            throw RefusedSignatureException.Malformed($"{what} is not JSON", exception);
        }

        throw RefusedSignatureException.Malformed($"{what} is not a JSON object");
    }

    public static JsonElement? Optional(JsonElement element, string name, JsonValueKind kind, string what)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        return value.ValueKind == kind ? value : throw RefusedSignatureException.Malformed($"{what} has a '{name}' of the wrong kind");
    }

    public static JsonElement Required(JsonElement element, string name, JsonValueKind kind, string what) =>
        Optional(element, name, kind, what) ?? throw RefusedSignatureException.Malformed($"{what} has no '{name}'");

    public static string? OptionalText(JsonElement element, string name, string what)
    {
        if (Optional(element, name, JsonValueKind.String, what) is not { } value)
            return null;
        return TextOf(value) ?? throw RefusedSignatureException.Malformed($"{what} has a '{name}' that is not Unicode");
    }

    public static string Text(JsonElement element, string name, string what) =>
        OptionalText(element, name, what) ?? throw RefusedSignatureException.Malformed($"{what} has no '{name}'");

    public static IReadOnlyList<string> Texts(JsonElement list, string what)
    {
        var texts = new List<string>();
        foreach (var item in list.EnumerateArray())
            texts.Add(TextOf(item) ?? throw RefusedSignatureException.Malformed($"{what} has something else than text in a list"));
        return texts;
    }

    /// <summary>Bytes in base64, as it is written with or without padding, in the standard or the URL's alphabet.</summary>
    public static byte[] Bytes(string base64, string what)
    {
        var url = base64.TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return TryDecode(url, out var bytes) ? bytes : throw RefusedSignatureException.Malformed($"{what} is not base64");
    }

    /// <summary>Bytes in base64url without padding, as JWS has them: any other spelling would not be what was signed.</summary>
    public static byte[] UrlBytes(string base64, string what) =>
        !base64.AsSpan().ContainsAny("+/=") && TryDecode(base64, out var bytes)
            ? bytes
            : throw RefusedSignatureException.Malformed($"{what} is not base64url");

    public static DateTimeOffset Instant(string text, string what) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw RefusedSignatureException.Malformed($"{what} is not an instant");

    // Null for other kinds, and for half of a surrogate pair.
    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool TryDecode(string url, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (url.AsSpan().ContainsAny(" \n\r\t"))
            return false;
        try
        {
            bytes = Base64Url.DecodeFromChars(url);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
