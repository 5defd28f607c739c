using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Verbs;

/// <summary>What a verb found or did, for scripts that read files: the items that MSBuild has, in one stable schema with its version in it.</summary>
internal static class VerbJson
{
    // Documents of their own, which stand as such.
    private static readonly string[] Documents = ["Manifest", "Config"];

    /// <summary>Writes the file: whole or not at all.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="target">The verb.</param>
    /// <param name="items">Its items.</param>
    /// <param name="log">Told where it can't be written: the work is done, and that is no failure.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it is done.</returns>
    public static async Task WriteAsync(string path, string target, IEnumerable<ITaskItem> items, IEngineLog log, CancellationToken cancellationToken)
    {
        var beside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(beside, Write(target, items), cancellationToken);
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.Information($"The result is not written to '{path}': {exception.Message}");
        }
        finally
        {
            File.Delete(beside);
        }
    }

    private static byte[] Write(string target, IEnumerable<ITaskItem> items)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, ReadableJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 1);
            json.WriteString("target", target);
            json.WriteStartArray("items");
            foreach (var item in items)
                Write(json, item);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void Write(Utf8JsonWriter json, ITaskItem item)
    {
        json.WriteStartObject();
        json.WriteString("identity", item.ItemSpec);
        foreach (var name in item.CloneCustomMetadata().Keys.Cast<string>().Order(StringComparer.Ordinal))
        {
            var (key, value) = (JsonNamingPolicy.CamelCase.ConvertName(name), item.GetMetadata(name));
            json.WritePropertyName(key);
            if (Documents.Contains(name))
                json.WriteRawValue(value);
            else if (value is "True" or "False")
                json.WriteBooleanValue(value == "True");
            else if (name is "Size" or "Attachments" || name.EndsWith("Bytes", StringComparison.Ordinal))
                json.WriteRawValue(value);
            else
                json.WriteStringValue(value);
        }

        json.WriteEndObject();
    }
}
