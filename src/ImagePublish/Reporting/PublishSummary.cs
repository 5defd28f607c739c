using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, for people.</summary>
public static class PublishSummary
{
    /// <summary>A few lines: where the image is, what it weighs, what was moved.</summary>
    /// <param name="result">The result.</param>
    /// <returns>The lines.</returns>
    public static IEnumerable<string> Lines(PublishResult result)
    {
        foreach (var delivery in result.Deliveries)
        {
            var tags = delivery.Tags.Count == 0 ? "without a tag" : string.Join(", ", delivery.Tags);
            yield return result.IsUnchanged ? $"Unchanged {delivery.Name}: {tags}" : $"Published {delivery.Name}: {tags}";
            yield return $"  {delivery.Name}@{result.Image.Digest}";
            yield return $"  {result.Image.Config.Platform}, {ByteSize.Show(result.Image.Size)} in {Count(result.Image.Layers.Count, "layer")}: {Moved(delivery)}";
        }
    }

    private static string Moved(Delivery delivery)
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
