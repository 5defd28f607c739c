using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Tasks.Commands;

/// <summary>What a command found or did, for scripts that read files: the same as the MSBuild items, in one stable schema with its version in it.</summary>
internal static class CommandJson
{
    /// <summary>Writes the file: whole or not at all.</summary>
    public static async Task WriteAsync(
        string path,
        string target,
        IEnumerable<CommandItem> items,
        IPublishLog log,
        CancellationToken cancellationToken
    )
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
