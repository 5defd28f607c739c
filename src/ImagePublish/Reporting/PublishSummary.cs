using System.Globalization;
using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What was published, for people.</summary>
internal static class PublishSummary
{
    private const long WorthTelling = 10_000_000;
    private const long WorthMentioning = 1_000_000;

    /// <summary>A few lines: where the image is, what it weighs, what was moved, how long it took, and what to type next.</summary>
    /// <remarks>
    /// The first has the form of MSBuild's own line for a project's output, since that is the only message that the terminal logger shows.
    /// </remarks>
    /// <param name="engine">The container engine that the image is loaded into afterwards; null for none.</param>
    public static IEnumerable<string> Lines(string project, PublishResult result, TimeSpan elapsed, EngineChoice? engine = null)
    {
        foreach (var delivery in result.Deliveries)
        {
            yield return Headline(project, delivery, result.IsUnchanged ? "unchanged" : Moved(delivery));
            yield return $"  {delivery.Name}@{result.Root.Descriptor.Digest}";
            var layers = Text.Count(result.Image.Layers.Count, "layer");
            yield return $"  {result.Image.Platform}, {ByteSize.Show(result.Image.Size)} in {layers}, {Time(elapsed)}";
            if (result.Attached.Count > 0)
                yield return $"  attached: {Attached(result)}";
            if (delivery.Tags is [var tag, ..] && (!result.IsUnchanged || delivery.Repository is null))
                yield return HowToRun(result, delivery, $"{delivery.Name}:{tag}", engine);
        }

        if (Omitted(result) is { } omitted)
            yield return omitted;
    }

    /// <summary>How to leave out what packages bring for other systems, where that is worth a line.</summary>
    public static string? Advice(PublishResult result, string runtimeIdentifier) =>
        result.ForeignLength < WorthTelling
            ? null
            : (
                $"  {ByteSize.Show(result.ForeignLength)} of its files are for other platforms. To leave them out, publish "
                + $"with -r {runtimeIdentifier} --self-contained false"
            );

    /// <summary>What was left out of a new image, where that is worth a line.</summary>
    public static string? Omitted(PublishResult result) =>
        result.IsUnchanged || result.OmittedLength < WorthMentioning
            ? null
            : $"  {ByteSize.Show(result.OmittedLength)} of files for other platforms left out "
                + "(ImageKeepOtherPlatforms=true keeps them)";

    /// <summary>A few lines: where the index is, and for which platforms.</summary>
    public static IEnumerable<string> Lines(string project, IndexResult result)
    {
        foreach (var delivery in result.Deliveries)
        {
            yield return Headline(project, delivery, result.IsUnchanged ? "unchanged" : Text.Count(result.Images.Count, "platform"));
            yield return $"  {delivery.Name}@{result.Index.Descriptor.Digest}";
            yield return $"  {string.Join(", ", result.Images.Select(image => image.Platform))}";
        }
    }

    internal static string Attached(PublishResult result) =>
        string.Join(", ", result.Attached.SelectMany(one => one.Types).Select(AttachmentTypes.NameOf).Select(Text.Sanitize).Distinct());

    private static string HowToRun(PublishResult result, DestinationResult delivery, string name, EngineChoice? engine)
    {
        var command = NextCommands.Run(name, ExposedPort.Read(result.Image.Config.Config?.ExposedPorts), engine);
        return delivery.Repository is null && engine is null
            ? $"  It is in the local store. To run it, publish with -p:ImageLoad=docker, then: {command}"
            : $"  {command}";
    }

    private static string Time(TimeSpan elapsed) =>
        elapsed < TimeSpan.FromSeconds(100)
            ? string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0.0} s")
            : string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalMinutes:0.0} min");

    private static string Headline(string project, DestinationResult delivery, string what) =>
        $"{project} -> {delivery.Name}{(delivery.Tags.Count == 0 ? " without a tag" : ":" + string.Join(", ", delivery.Tags))} ({what})";

    internal static string Moved(DestinationResult delivery)
    {
        var verb = delivery.Repository is null ? "written" : "uploaded";
        var parts = new List<string> { $"{ByteSize.Show(delivery.Transfer.UploadedBytes)} {verb}" };
        if (delivery.Transfer.MountedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.MountedBytes)} mounted");
        if (delivery.Transfer.ReusedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.ReusedBytes)} already there");
        return string.Join(", ", parts);
    }
}
