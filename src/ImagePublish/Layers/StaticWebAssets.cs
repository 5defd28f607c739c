using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImagePublish.Layers;

/// <summary>The manifest that ASP.NET's <c>MapStaticAssets</c> reads: static content, and the headers that it is served with.</summary>
/// <remarks>
/// The .NET SDK writes the times of files on the build machine into it, as <c>Last-Modified</c>: every clone, and so every CI job, would
/// have another layer. In an image these headers get the times that the files themselves have there, which follow their content
/// (<see cref="StaticContent"/>).
/// </remarks>
internal static class StaticWebAssets
{
    private const string Suffix = ".staticwebassets.endpoints.json";
    private const int MaxLength = 64 << 20;

    // As the SDK writes it: readable, since no browser ever reads it.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool IsAt(string publishPath) =>
        publishPath.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase) && !publishPath.Contains('/', StringComparison.Ordinal);

    /// <summary>The file without times of the build machine.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3002</c>: it can't be read.</exception>
    public static FileContent Canonical(FileContent content)
    {
        if (content.Length > MaxLength)
            return content;
        using var stream = content.Open();
        try
        {
            var manifest = DiskFiles.Guarded(content.Source, () => JsonNode.Parse(stream));
            var headers = (manifest?["Endpoints"] as JsonArray ?? [])
                .Select(endpoint => endpoint?["ResponseHeaders"])
                .OfType<JsonArray>()
                .ToList();
            foreach (var ofEndpoint in headers)
                Redate(ofEndpoint);
            return headers.Count == 0 ? content : new FileInMemory(Encoding.UTF8.GetBytes(manifest!.ToJsonString(Plain)));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return content;
        }
    }

    private static void Redate(JsonArray headers)
    {
        foreach (var header in headers.Where(header => IsNamed(header, "Last-Modified")))
        {
            var tag = headers.FirstOrDefault(other => IsNamed(other, "ETag"))?["Value"]?.GetValue<string>() ?? "";
            header!["Value"] = StaticContent.TimeOf(HashOf(tag)).ToString("R", CultureInfo.InvariantCulture);
        }
    }

    private static bool IsNamed(JsonNode? header, string name) =>
        string.Equals(header?["Name"]?.GetValue<string>(), name, StringComparison.OrdinalIgnoreCase);

    // The SDK's ETag is the SHA-256 of the content; any other one at least changes with it.
    private static byte[] HashOf(string tag)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        return
            Convert.TryFromBase64String(tag.Replace("W/", "", StringComparison.Ordinal).Trim('"'), hash, out var length)
            && length == hash.Length
            ? hash
            : SHA256.HashData(Encoding.UTF8.GetBytes(tag));
    }
}
