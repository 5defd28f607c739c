using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImagePublish.Common;

namespace ImagePublish.Oci;

/// <summary>Reads a JSON document into a type. What is wrong with it is said in the document's own terms, never in those of .NET.</summary>
internal static class JsonReading
{
    /// <summary>Reads a document; a byte-order mark is skipped.</summary>
    /// <exception cref="JsonException">It is malformed; the message says where, and what is expected there.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string document)
    {
        json = JsonSyntax.Utf8Of(json, document);
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException($"the {document} is null");
        }
        catch (JsonException exception) when (exception.Path is not null || exception.LineNumber is not null)
        {
            var problem = Explain(JsonSyntax.ParseLeniently(json, document), type, document);
            throw new JsonException(
                problem ?? $"the {document}'s {Text.Sanitize(exception.Path ?? "$")} is not what it must be",
                exception
            );
        }
    }

    // Only after a failure: the document is walked along the type until something does not fit.
    private static string? Explain(JsonElement root, JsonTypeInfo type, string document)
    {
        try
        {
            return new TypeWalk(type, document).FindProblem(root) ?? JsonSyntax.FindProblem(root, document, type.Options.MaxDepth);
        }
        catch (InvalidOperationException exception)
        {
            return JsonSyntax.NotUnicode(document, exception).Message;
        }
    }

    private static bool Fits(JsonElement value, Type type)
    {
        if (type == typeof(string))
            return value.ValueKind == JsonValueKind.String && value.GetString() is not null;
        if (Underlying(type) == typeof(bool))
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
        if (Underlying(type) == typeof(int))
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _);
        return Underlying(type) != typeof(long) || (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _));
    }

    private static Type Underlying(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>Walks a document along its type until something does not fit.</summary>
    private sealed class TypeWalk(JsonTypeInfo type, string name)
    {
        public string? FindProblem(JsonElement root) => InValue(root, type, "$");

        private string? InValue(JsonElement value, JsonTypeInfo expected, string path) =>
            expected.Kind switch
            {
                JsonTypeInfoKind.Object when value.ValueKind == JsonValueKind.Object => InObject(value, expected, path),
                JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array => InItems(
                    value.EnumerateArray().Index().Select(item => ($"{path}[{item.Index}]", item.Item)),
                    expected
                ),
                JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object => InItems(
                    value.EnumerateObject().Select(item => (JsonSyntax.Child(path, item.Name), item.Value)),
                    expected
                ),
                JsonTypeInfoKind.None when Fits(value, expected.Type) => null,
                _ => JsonSyntax.Mismatch(name, path, value, Named(expected)),
            };

        private string? InObject(JsonElement value, JsonTypeInfo expected, string path)
        {
            foreach (var property in expected.Properties.Where(property => !property.IsExtensionData))
            {
                var isThere = value.TryGetProperty(property.Name, out var child);
                if (
                    !isThere
                    && (property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false })
                )
                    return $"the {name} has no {Text.Sanitize(JsonSyntax.Child(path, property.Name))}";
                if (
                    !isThere
                    || (child.ValueKind == JsonValueKind.Null && (property.AssociatedParameter?.IsNullable ?? property.IsSetNullable))
                )
                    continue;
                if (InValue(child, type.Options.GetTypeInfo(property.PropertyType), JsonSyntax.Child(path, property.Name)) is { } problem)
                    return problem;
            }

            return null;
        }

        private string? InItems(IEnumerable<(string Path, JsonElement Value)> items, JsonTypeInfo expected)
        {
            var element = type.Options.GetTypeInfo(expected.ElementType!);
            return items
                .Where(item => item.Value.ValueKind != JsonValueKind.Null)
                .Select(item => InValue(item.Value, element, item.Path))
                .FirstOrDefault(problem => problem is not null);
        }

        private string Named(JsonTypeInfo expected) =>
            expected.Kind switch
            {
                JsonTypeInfoKind.Object => "an object",
                JsonTypeInfoKind.Enumerable => type.Options.GetTypeInfo(expected.ElementType!).Type == typeof(string)
                    ? "a list of strings"
                    : "a list",
                JsonTypeInfoKind.Dictionary => "an object",
                _ when expected.Type == typeof(string) => "a string",
                _ when Underlying(expected.Type) == typeof(bool) => "true or false",
                _ => "a whole number",
            };
    }
}
