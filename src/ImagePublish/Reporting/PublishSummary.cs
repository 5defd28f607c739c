using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, for people.</summary>
public static class PublishSummary
{
    /// <summary>A few lines: where the image is, what it weighs, what was moved.</summary>
    /// <param name="result">The result.</param>
    /// <param name="store">The local store's folder, for the line that tells how to run what lies there.</param>
    /// <returns>The lines.</returns>
    public static IEnumerable<string> Lines(PublishResult result, string store)
    {
        foreach (var delivery in result.Deliveries)
        {
            yield return Headline(delivery, result.IsUnchanged);
            yield return $"  {delivery.Name}@{result.Image.Digest}";
            yield return $"  {result.Image.Config.Platform}, {ByteSize.Show(result.Image.Size)} in {Count(result.Image.Layers.Count, "layer")}: {Moved(delivery)}";
            if (delivery is { Repository: null, Tags: [var tag, ..] })
                yield return HowToRun(result, $"{delivery.Name}:{tag}", store);
        }
    }

    /// <summary>A few lines: where the index is, and for which platforms.</summary>
    /// <param name="result">The result.</param>
    /// <returns>The lines.</returns>
    public static IEnumerable<string> Lines(IndexResult result)
    {
        foreach (var delivery in result.Deliveries)
        {
            yield return Headline(delivery, result.IsUnchanged);
            yield return $"  {delivery.Name}@{result.Index.Descriptor.Digest}";
            yield return $"  {string.Join(", ", result.Images.Select(image => image.Platform))}";
        }
    }

    private static string HowToRun(PublishResult result, string name, string store)
    {
        var ports = string.Concat((result.Image.Config.Config?.ExposedPorts ?? []).Select(port => $" -p {port.Split('/')[0]}:{port.Split('/')[0]}"));
        return $"  Run it: skopeo copy oci:{store}:{name} docker-daemon:{name} && docker run --rm{ports} {name}";
    }

    private static string Headline(Delivery delivery, bool isUnchanged) =>
        $"{(isUnchanged ? "Unchanged" : "Published")} {delivery.Name}: {(delivery.Tags.Count == 0 ? "without a tag" : string.Join(", ", delivery.Tags))}";

    internal static string Moved(Delivery delivery)
    {
        var verb = delivery.Repository is null ? "written" : "uploaded";
        var parts = new List<string> { $"{ByteSize.Show(delivery.Transfer.UploadedBytes)} {verb}" };
        if (delivery.Transfer.MountedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.MountedBytes)} mounted");
        if (delivery.Transfer.ReusedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.ReusedBytes)} already there");
        return string.Join(", ", parts);
    }

    private static string Count(int number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";
}
