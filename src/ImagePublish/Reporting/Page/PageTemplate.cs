using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace ImagePublish.Reporting.Page;

/// <summary>
/// Puts a page together out of its template, styles and scripts, with data in between: one file, which loads nothing and runs nothing but
/// these scripts.
/// </summary>
internal static class PageTemplate
{
    // The encoder leaves no '<' in JSON, so that nothing of an image can end the script element that it stands in.
    public static JsonSerializerOptions JsonOptions =>
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
            Converters = { new VisibleTextConverter() },
        };

    /// <summary>Writes a page.</summary>
    /// <param name="data">JSON that was written with <see cref="JsonOptions"/>.</param>
    public static byte[] Write(string template, string title, IReadOnlyList<string> styles, IReadOnlyList<string> scripts, string data)
    {
        var style = string.Join('\n', styles.Select(Resource));
        var elements = scripts.Select(Resource).ToList();
        var page = new StringBuilder();
        foreach (var (text, slot) in Slots(Resource(template)))
        {
            page.Append(text);
            page.Append(
                slot switch
                {
                    "policy" => $"default-src 'none'; style-src {HashOf(style)}; script-src {string.Join(' ', elements.Select(HashOf))}",
                    "title" => HtmlEncoder.Default.Encode(Common.Text.OneLine(title)),
                    "style" => $"<style>{style}</style>",
                    "scripts" => string.Join('\n', elements.Select(script => $"<script>{script}</script>")),
                    "data" => data,
                    _ => "",
                }
            );
        }

        return Encoding.UTF8.GetBytes(page.ToString());
    }

    private static string HashOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    // What is put in is never searched for slots itself.
    private static IEnumerable<(string Text, string Slot)> Slots(string template)
    {
        var parts = template.Split("{{");
        yield return (parts[0], "");
        foreach (var part in parts.Skip(1))
        {
            var end = part.IndexOf("}}", StringComparison.Ordinal);
            yield return ("", part[..end]);
            yield return (part[(end + 2)..], "");
        }
    }

    // Browsers hash an element's text with line feeds alone.
    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"ImagePublish.Report.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    // A browser obeys characters that turn the direction of text around, and shows others not at all.
    private sealed class VisibleTextConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Common.Text.Lines(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(Common.Text.Lines(value));
    }
}
