using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using ImagePublish.Common;

namespace ImagePublish.Oci;

/// <summary>What every document in JSON must keep, whatever it says, and the words for it.</summary>
internal static class JsonSyntax
{
    private const int MaxDepth = 32;

    // What is wrong with a document is searched for in a lenient reading of it.
    private const int MaxDepthExplained = 1000;

    /// <summary>Parses a document: UTF-8, no duplicate properties, no more than 32 levels, no comments. A byte-order mark is
    /// skipped.</summary>
    /// <exception cref="JsonException">It is malformed; the message says how.</exception>
    /// <exception cref="InvalidOperationException">A name is not Unicode (<see cref="NotUnicode"/>).</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> json, string document)
    {
        json = Utf8Of(json, document);
        try
        {
            return JsonElement.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth });
        }
        catch (JsonException exception)
        {
            var lenient = ParseLeniently(json, document);
            throw new JsonException(FindProblem(lenient, document, MaxDepth) ?? $"the {document} is not what it must be", exception);
        }
    }

    /// <summary>The text of a document, without a byte-order mark.</summary>
    /// <exception cref="JsonException">It is not in UTF-8.</exception>
    public static ReadOnlySpan<byte> Utf8Of(ReadOnlySpan<byte> json, string document)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        return Utf8.IsValid(json) ? json : throw new JsonException($"the {document} is not in UTF-8");
    }

    /// <summary>Parses whatever is JSON at all.</summary>
    /// <exception cref="JsonException">It is not; the message says where.</exception>
    public static JsonElement ParseLeniently(ReadOnlySpan<byte> json, string document)
    {
        try
        {
            return JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepthExplained });
        }
        catch (JsonException exception)
        {
            throw new JsonException($"the {document} {NotJson(exception)}", exception);
        }
    }

    /// <summary>Why a document that is JSON is refused whatever it says; null if it is not.</summary>
    public static string? FindProblem(JsonElement root, string document, int maxDepth)
    {
        if (FindRepeated(root) is { } repeated)
            return $"the {document} has {Text.Sanitize("$" + repeated)} twice";
        return DepthOf(root) > maxDepth
            ? string.Create(CultureInfo.InvariantCulture, $"the {document} is nested more than {maxDepth} levels deep")
            : null;
    }

    public static string NotJson(JsonException exception) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1})"
        );

    /// <summary>For a string with half of a surrogate pair.</summary>
    public static JsonException NotUnicode(string document, Exception exception) =>
        new($"the {document} has a string that is not Unicode", exception);

    public static string Mismatch(string document, string path, JsonElement value, string expected) =>
        $"the {document}'s {Text.Sanitize(path)} is {Shown(value)}, but must be {expected}";

    /// <summary>The path of a property.</summary>
    public static string Child(string path, string property) =>
        property.All(character => char.IsAsciiLetterOrDigit(character) || character == '_')
            ? $"{path}.{property}"
            : $"{path}['{property}']";

    private static string Shown(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => $"the string '{Text.Sanitize(value.GetString()!)}'",
            JsonValueKind.Number => $"the number {Text.Sanitize(value.GetRawText())}",
            JsonValueKind.Null => "null",
            _ => value.GetRawText(),
        };

    // The path is put together on the way back: made on the way down, it would be made for every value of the document.
    private static string? FindRepeated(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            return value
                .EnumerateArray()
                .Index()
                .Select(item => FindRepeated(item.Item) is { } found ? $"[{item.Index}]{found}" : null)
                .FirstOrDefault(found => found is not null);
        }

        if (value.ValueKind != JsonValueKind.Object)
            return null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject())
        {
            if (!names.Add(property.Name))
                return Child("", property.Name);
            if (FindRepeated(property.Value) is { } found)
                return Child("", property.Name) + found;
        }

        return null;
    }

    private static int DepthOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => 1 + value.EnumerateArray().Select(DepthOf).DefaultIfEmpty().Max(),
            JsonValueKind.Object => 1 + value.EnumerateObject().Select(property => DepthOf(property.Value)).DefaultIfEmpty().Max(),
            _ => 0,
        };
}
