using System.Text;
using System.Text.Json;
using ImagePublish.Common;

namespace ImagePublish.Sboms;

/// <summary>A package that chisel has cut files out of, or a file and its package.</summary>
internal sealed record ChiselEntry(string? Package)
{
    public string? Version { get; init; }

    public string? Architecture { get; init; }

    public string? Path { get; init; }
}

/// <summary>Reads the manifest that chisel leaves in images of Ubuntu without dpkg: a line of JSON for each package, slice and
/// file.</summary>
internal static class ChiselManifest
{
    private const int MaxLength = 64 << 20;

    /// <returns>The packages, and then the files; none where it can't be read.</returns>
    public static IReadOnlyList<ChiselEntry> Read(string packed)
    {
        if (packed.Length == 0)
            return [];
        try
        {
            var lines = Inflate(Encoding.Latin1.GetBytes(packed)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return [.. lines.Select(Parse).OfType<ChiselEntry>().OrderBy(entry => entry.Path is not null)];
        }
        catch (Exception exception) when (exception is JsonException or IOException or InvalidDataException or InvalidOperationException)
        {
            return [];
        }
    }

    private static string Inflate(byte[] packed)
    {
        using var stream = CompressedStream.Open(new MemoryStream(packed), CompressionFormat.Zstd);
        var inflated = new MemoryStream();
        var buffer = new byte[81920];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            inflated.Write(buffer, 0, read);
            if (inflated.Length > MaxLength)
                throw new InvalidDataException();
        }

        return Encoding.UTF8.GetString(inflated.GetBuffer(), 0, (int)inflated.Length);
    }

    private static ChiselEntry? Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var entry = document.RootElement;
        return Text(entry, "kind") switch
        {
            "package" => new ChiselEntry(Text(entry, "name")) { Version = Text(entry, "version"), Architecture = Text(entry, "arch") },
            // A slice is named after its package: libc6_libs.
            "path" when entry.TryGetProperty("slices", out var slices) && slices.GetArrayLength() > 0 => new ChiselEntry(
                slices[0].GetString()?.Split('_')[0]
            )
            {
                Path = Text(entry, "path"),
            },
            _ => null,
        };
    }

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
