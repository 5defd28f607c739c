using System.Globalization;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>A JSON document, which is a value as it is.</summary>
internal readonly record struct JsonText(byte[] Content);

/// <summary>What a command found or did: an MSBuild item for targets, an object of the result file for scripts.</summary>
internal sealed record CommandItem(string Identity, IReadOnlyList<KeyValuePair<string, object>> Metadata)
{
    /// <summary>An item with metadata; a null is left out.</summary>
    public static CommandItem Create(string identity, params ReadOnlySpan<(string Name, object? Value)> metadata)
    {
        var known = new List<KeyValuePair<string, object>>(metadata.Length);
        foreach (var (name, value) in metadata)
        {
            if (value is not null)
                known.Add(KeyValuePair.Create(name, value));
        }

        return new CommandItem(identity, known);
    }

    public static string[] PlatformNames(IEnumerable<Platform> platforms) =>
        [.. platforms.Select(platform => (platform with { OsVersion = null }).ToString())];

    /// <summary>As an MSBuild item. MSBuild prints items where it is asked to (<c>-getItem</c>).</summary>
    public ITaskItem ToTaskItem()
    {
        var item = OutputItem.Create(Identity);
        foreach (var (name, value) in Metadata)
        {
            if (value is IEnumerable<string> list)
                item.SetList(name, list);
            else
                item.SetText(
                    name,
                    value is JsonText json
                        ? ReadableJson.Printable(json.Content)
                        : Text.OneLine(Convert.ToString(value, CultureInfo.InvariantCulture)!)
                );
        }

        return item;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("identity", Identity);
        foreach (var (name, value) in Metadata.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(JsonNamingPolicy.CamelCase.ConvertName(name));
            Write(json, value);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int or long:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case JsonText document:
                json.WriteRawValue(ReadableJson.Printable(document.Content));
                break;
            case IEnumerable<string> list:
                json.WriteStringValue(string.Join(';', list));
                break;
            default:
                json.WriteStringValue(Text.OneLine(Convert.ToString(value, CultureInfo.InvariantCulture)!));
                break;
        }
    }
}

/// <summary>What a command found or did, for scripts that read files: the same as the MSBuild items, in one stable
/// schema with its version in it.</summary>
internal static class CommandResultFile
{
    public static void Write(string path, string target, IEnumerable<CommandItem> items, IPublishLog log)
    {
        try
        {
            WholeFile.Write(path, Write(target, items));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.Information($"The result is not written to '{path}': {exception.Message}");
        }
    }

    private static byte[] Write(string target, IEnumerable<CommandItem> items)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, ReadableJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 1);
            json.WriteString("target", target);
            json.WriteStartArray("items");
            foreach (var item in items)
                item.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
