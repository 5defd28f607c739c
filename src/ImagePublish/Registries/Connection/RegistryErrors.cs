using System.Net;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Connection;

/// <summary>What a registry says when it refuses.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes">distribution-spec, Error
/// Codes</see>.</remarks>
/// <param name="Text">Codes and messages, or what stands in their place, fit for one line of a message.</param>
internal sealed record RegistryErrors(IReadOnlyList<string> Codes, string Text, IReadOnlyList<Digest> Digests)
{
    public static RegistryErrors None { get; } = new([], "", []);

    public bool Has(string code) => Codes.Contains(code, StringComparer.OrdinalIgnoreCase);

    public static RegistryErrors Parse(ReadOnlySpan<byte> body, string? contentType, Redactor redactor)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        if (text.StartsWith('{') && TryJson(text, redactor) is { } errors)
            return errors;
        // Quirk: error-is-no-json.
        return None with { Text = redactor.Shown(contentType is "text/html" || text.StartsWith('<') ? Title(text) : text) };
    }

    private static RegistryErrors? TryJson(string text, Redactor redactor)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 32 });
            if (!json.RootElement.TryGetProperty("errors", out var list) || list.ValueKind != JsonValueKind.Array)
                return None with { Text = redactor.Shown(Words(json.RootElement).Trim()) };
            var errors = list.EnumerateArray().Where(error => error.ValueKind == JsonValueKind.Object).Take(4).ToArray();
            return new RegistryErrors(
                [.. errors.Select(error => String(error, "code")).Where(code => code.Length > 0)],
                redactor.Shown(string.Join("; ", errors.Select(Words)).Trim()),
                [.. errors.SelectMany(DigestsIn).Distinct()]
            );
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: a text that is not Unicode.
            return null;
        }
    }

    private static string Words(JsonElement error)
    {
        var (code, message) = (String(error, "code"), String(error, "message"));
        if (message.Length == 0)
            message = String(error, "error_description") is { Length: > 0 } description ? description : String(error, "error");
        return code.Length == 0 || message.Length == 0 ? code + message : $"{code}: {message}";
    }

    private static string String(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    // The detail is a text, or an object with a digest, or an array of these.
    private static IEnumerable<Digest> DigestsIn(JsonElement error)
    {
        var raw = error.TryGetProperty("detail", out var detail) ? detail.GetRawText() : "";
        foreach (var part in (raw + " " + String(error, "message")).Split('"', ' ', ',', '\'', '[', ']'))
        {
            if (Digest.TryParse(part, out var digest))
                yield return digest;
        }
    }

    private static string Title(string html)
    {
        var start = html.IndexOf("<title>", StringComparison.OrdinalIgnoreCase);
        var end = html.IndexOf("</title>", StringComparison.OrdinalIgnoreCase);
        return start >= 0 && end > start ? WebUtility.HtmlDecode(html[(start + "<title>".Length)..end]).Trim() : "";
    }
}
