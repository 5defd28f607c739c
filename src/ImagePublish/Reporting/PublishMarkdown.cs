using System.Globalization;
using System.Text;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>
/// What was published, as CI systems show it on the page of a run. Names and values are code in it, so that nothing of them is Markdown or
/// HTML.
/// </summary>
internal static class PublishMarkdown
{
    public static string Write(string project, PublishResult result) =>
        Table(
            project,
            new Published(result.Root.Descriptor.Digest.Value, [result.Image.Platform], result.IsUnchanged, result.Deliveries)
            {
                Attached = result.Attached.Count == 0 ? null : PublishSummary.Attached(result),
            },
            $"{ByteSize.Show(result.Image.Size)} in {result.Image.Layers.Count} layers"
        );

    public static string Write(string project, IndexResult result)
    {
        Platform?[] platforms = [.. result.Images.Select(image => image.Platform)];
        var published = new Published(result.Index.Descriptor.Digest.Value, platforms, result.IsUnchanged, result.Deliveries);
        return Table(project, published, size: null);
    }

    private static string Table(string project, Published published, string? size)
    {
        var (digest, platforms, unchanged, deliveries) = published;
        var text = new StringBuilder($"### {Heading(project)}\n\n| | |\n|---|---|\n");
        foreach (var delivery in deliveries)
        {
            Row("Image", Code(delivery.Name));
            Row("Tags", delivery.Tags.Count == 0 ? "none" : string.Join(", ", delivery.Tags.Select(tag => Code(tag.Value))));
            Row("This publish", unchanged ? "unchanged" : PublishSummary.Moved(delivery));
        }

        Row("Digest", Code(digest));
        Row("Platform", string.Join(", ", platforms.OfType<Platform>().Select(platform => Code(platform.ToString()))));
        if (size is not null)
            Row("Size", size);
        if (published.Attached is { } attached)
            Row("Attached", Code(attached));
        return text.Append('\n').ToString();

        void Row(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");
    }

    private sealed record Published(
        string Digest,
        IReadOnlyList<Platform?> Platforms,
        bool IsUnchanged,
        IReadOnlyList<DestinationResult> Deliveries
    )
    {
        public string? Attached { get; init; }
    }

    // Nothing is escaped in code, and programs differ in what ends it, or a cell of a table: so what could is not in it.
    internal static string Code(string text)
    {
        var code = new StringBuilder("`");
        foreach (var character in Common.Text.OneLine(text))
        {
            if (character is '`' or '|' or '<' or '>' or '&')
                code.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                code.Append(character);
        }

        return code.Append('`').ToString();
    }

    private static string Heading(string text)
    {
        var heading = new StringBuilder();
        foreach (var character in Common.Text.OneLine(text))
        {
            if (char.IsAscii(character) && !char.IsAsciiLetterOrDigit(character) && character is not (' ' or '.' or '-'))
                heading.Append(CultureInfo.InvariantCulture, $"&#{(int)character};");
            else
                heading.Append(character);
        }

        return heading.ToString();
    }
}
