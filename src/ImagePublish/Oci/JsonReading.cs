using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using ImagePublish.Common;

namespace ImagePublish.Oci;

/// <summary>Reads a JSON document into a type. What is wrong with it is said in the document's own terms, never in those of .NET.</summary>
internal static class JsonReading
{
    /// <summary>Reads a document; a byte-order mark is skipped.</summary>
    /// <exception cref="JsonException">It is malformed; the message says where, and what is expected there.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string document)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        if (!Utf8.IsValid(json))
            throw new JsonException($"the {document} is not in UTF-8");
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException($"the {document} is null");
        }
        catch (JsonException exception) when (exception.Path is not null || exception.LineNumber is not null)
        {
            throw new JsonException(Explain(json.ToArray(), type, document, exception), exception);
        }
    }

    public static string NotJson(JsonException exception) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1})"
        );

    // Only after a failure: the document is walked along the type until something does not fit.
    private static string Explain(byte[] json, JsonTypeInfo type, string name, JsonException failure)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 1000 });
        }
        catch (JsonException exception)
        {
            return $"the {name} {NotJson(exception)}";
        }

        using (document)
        {
            return Explain(document, type, name) ?? $"the {name}'s {Text.Sanitize(failure.Path ?? "$")} is not what it must be";
        }
    }

    private static string? Explain(JsonDocument document, JsonTypeInfo type, string name)
    {
        try
        {
            return new TypeWalk(type, name).FindProblem(document.RootElement)
                ?? (FindRepeated(document.RootElement) is { } repeated ? $"the {name} has {Text.Sanitize("$" + repeated)} twice" : null)
                ?? (
                    DepthOf(document.RootElement) > type.Options.MaxDepth
                        ? string.Create(CultureInfo.InvariantCulture, $"the {name} is nested more than {type.Options.MaxDepth} levels deep")
                        : null
                );
        }
        catch (InvalidOperationException)
        {
            // A string with half of a surrogate pair.
            return $"the {name} has a string that is not Unicode";
        }
    }

    private static bool Fits(JsonElement value, Type type)
    {
        if (type == typeof(string))
            return value.ValueKind == JsonValueKind.String && value.GetString() is not null;
        if (type == typeof(Digest))
            return value.ValueKind == JsonValueKind.String && Digest.TryParse(value.GetString(), out _);
        if (Underlying(type) == typeof(bool))
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
        if (Underlying(type) == typeof(int))
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _);
        return Underlying(type) != typeof(long) || (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _));
    }

    private static Type Underlying(Type type) => Nullable.GetUnderlyingType(type) ?? type;

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

    private static string Child(string path, string name) =>
        name.All(character => char.IsAsciiLetterOrDigit(character) || character == '_') ? $"{path}.{name}" : $"{path}['{name}']";

    /// <summary>Walks a document along its type until something does not fit.</summary>
    private sealed class TypeWalk(JsonTypeInfo type, string name)
    {
        public string? FindProblem(JsonElement root) => InValue(root, type, isSet: false, "$");

        private string? InValue(JsonElement value, JsonTypeInfo expected, bool isSet, string path)
        {
            if (isSet)
                return value.ValueKind == JsonValueKind.Object ? null : Mismatch(path, value, "an object");
            return expected.Kind switch
            {
                JsonTypeInfoKind.Object when value.ValueKind == JsonValueKind.Object => InObject(value, expected, path),
                JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array => InItems(
                    value.EnumerateArray().Index().Select(item => ($"{path}[{item.Index}]", item.Item)),
                    expected
                ),
                JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object => InItems(
                    value.EnumerateObject().Select(item => (Child(path, item.Name), item.Value)),
                    expected
                ),
                JsonTypeInfoKind.None when Fits(value, expected.Type) => null,
                _ => Mismatch(path, value, Named(expected)),
            };
        }

        private string? InObject(JsonElement value, JsonTypeInfo expected, string path)
        {
            foreach (var property in expected.Properties.Where(property => !property.IsExtensionData))
            {
                var isThere = value.TryGetProperty(property.Name, out var child);
                if (
                    !isThere
                    && (property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false })
                )
                    return $"the {name} has no {Text.Sanitize(Child(path, property.Name))}";
                if (
                    !isThere
                    || (child.ValueKind == JsonValueKind.Null && (property.AssociatedParameter?.IsNullable ?? property.IsSetNullable))
                )
                    continue;
                if (
                    InValue(
                        child,
                        type.Options.GetTypeInfo(property.PropertyType),
                        property.CustomConverter is StringSetJsonConverter,
                        Child(path, property.Name)
                    ) is
                    { } problem
                )
                    return problem;
            }

            return null;
        }

        private string? InItems(IEnumerable<(string Path, JsonElement Value)> items, JsonTypeInfo expected)
        {
            var element = type.Options.GetTypeInfo(expected.ElementType!);
            return items
                .Where(item => item.Value.ValueKind != JsonValueKind.Null)
                .Select(item => InValue(item.Value, element, isSet: false, item.Path))
                .FirstOrDefault(problem => problem is not null);
        }

        private string Mismatch(string path, JsonElement value, string expected) =>
            $"the {name}'s {Text.Sanitize(path)} is {Shown(value)}, but must be {expected}";

        private string Named(JsonTypeInfo expected) =>
            expected.Kind switch
            {
                JsonTypeInfoKind.Object => "an object",
                JsonTypeInfoKind.Enumerable => type.Options.GetTypeInfo(expected.ElementType!).Type == typeof(string)
                    ? "a list of strings"
                    : "a list",
                JsonTypeInfoKind.Dictionary => "an object",
                _ when expected.Type == typeof(string) => "a string",
                _ when expected.Type == typeof(Digest) => "a digest such as sha256:…",
                _ when Underlying(expected.Type) == typeof(bool) => "true or false",
                _ => "a whole number",
            };
    }
}
