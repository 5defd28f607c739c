using System.Text;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, as CI systems show it on the page of a run.</summary>
public static class PublishMarkdown
{
    /// <summary>A table of an image.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="result">The image.</param>
    /// <returns>Markdown.</returns>
    public static string Of(string project, PublishResult result) => Table(
        project, result.Image.Digest.Value, result.Image.Platform.ToString(), $"{ByteSize.Show(result.Image.Size)} in {result.Image.Layers.Count} layers", result.IsUnchanged, result.Deliveries);

    /// <summary>A table of an index.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="result">The index.</param>
    /// <returns>Markdown.</returns>
    public static string Of(string project, IndexResult result) => Table(
        project, result.Index.Descriptor.Digest.Value, string.Join(", ", result.Images.Select(image => image.Platform)), null, result.IsUnchanged, result.Deliveries);

    private static string Table(string project, string digest, string platforms, string? size, bool unchanged, IReadOnlyList<Delivery> deliveries)
    {
        var text = new StringBuilder($"### {project}\n\n| | |\n|---|---|\n");
        foreach (var delivery in deliveries)
        {
            Row("Image", $"`{delivery.Name}`");
            Row("Tags", delivery.Tags.Count == 0 ? "none" : string.Join(", ", delivery.Tags.Select(tag => $"`{tag}`")));
            Row("This publish", unchanged ? "unchanged" : PublishSummary.Moved(delivery));
        }

        Row("Digest", $"`{digest}`");
        Row("Platform", platforms);
        if (size is not null)
            Row("Size", size);
        return text.Append('\n').ToString();

        void Row(string name, string value) => text.Append($"| {name} | {value.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
    }
}
