using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>A part of a document of the specifications.</summary>
internal interface IJsonObject
{
    void WriteProperties(Utf8JsonWriter json);
}

/// <summary>Writes properties of documents. What is null is left out.</summary>
internal static class JsonWriting
{
    public static void WriteOptional(this Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    public static void WriteOptional(this Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    public static void WriteStrings(this Utf8JsonWriter json, string name, IReadOnlyList<string>? values)
    {
        if (values is null)
            return;
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    /// <summary>Writes an object whose properties are strings.</summary>
    public static void WriteMap(this Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string>? map)
    {
        if (map is null)
            return;
        json.WriteStartObject(name);
        foreach (var (key, value) in map)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    /// <summary>Writes a set of strings as Go does: an object whose properties are empty objects, in order.</summary>
    public static void WriteSet(this Utf8JsonWriter json, string name, IReadOnlyList<string>? values)
    {
        if (values is null)
            return;
        json.WriteStartObject(name);
        foreach (var value in values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            json.WriteStartObject(value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static void WriteObject(this Utf8JsonWriter json, string name, IJsonObject? value)
    {
        if (value is null)
            return;
        json.WritePropertyName(name);
        WriteObject(json, value);
    }

    public static void WriteObjects(this Utf8JsonWriter json, string name, IReadOnlyList<IJsonObject> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            WriteObject(json, value);
        json.WriteEndArray();
    }

    public static void WriteObject(this Utf8JsonWriter json, IJsonObject value)
    {
        json.WriteStartObject();
        value.WriteProperties(json);
        json.WriteEndObject();
    }

    public static void WriteFields(this Utf8JsonWriter json, IReadOnlyList<JsonField> fields)
    {
        foreach (var field in fields)
        {
            json.WritePropertyName(field.Name);
            field.Value.WriteTo(json);
        }
    }
}
