using System.Globalization;
using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Reporting;

/// <summary>The commands' results, as tables for people.</summary>
internal static class ImageTables
{
    private const int ShortDigest = 19;

    public static IEnumerable<string> OfImages(IReadOnlyList<ListedImage> images)
    {
        if (images.Count == 0)
            return ["No images."];
        var table = new TextTable("IMAGE", "DIGEST", "PLATFORMS", "CREATED", ">SIZE", "");
        foreach (var image in images)
            table.Add(
                image.Name ?? "<none>",
                Short(image.Descriptor.Digest),
                Join(image.Platforms),
                Date(image.Created),
                ByteSize.Show(image.Size),
                image.IsWhole ? "" : "lacks content"
            );
        return table.Lines();
    }

    public static IEnumerable<string> OfTags(TagList tags)
    {
        if (tags.Total == 0)
            return [$"{tags.Repository} has no tags."];
        var table = new TextTable("TAG", "DIGEST", "PLATFORMS", "CREATED", ">SIZE");
        foreach (var tag in tags.Tags)
            table.Add(
                tag.Tag.Value,
                tag.Descriptor is null ? "" : Short(tag.Descriptor.Digest),
                Join(tag.Platforms),
                Date(tag.Created),
                tag.Platforms.Count == 0 ? "" : ByteSize.Show(tag.Size)
            );
        var rest = tags.Total - tags.Tags.Count;
        return
        [
            tags.Repository,
            .. table.Lines(),
            .. rest > 0
                ?
                [
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"and {rest} more; -p:ImageTagLimit=0 shows all, -p:ImageFilter=\"1.*\" chooses."
                    ),
                ]
                : Array.Empty<string>(),
        ];
    }

    public static IEnumerable<string> OfImage(InspectedImage image)
    {
        yield return image.Name;
        yield return $"  {image.Root.Digest}";
        yield return $"  {Text.Sanitize(image.Root.MediaType)}";
        foreach (var platform in image.Platforms)
        {
            yield return "";
            foreach (var line in OfPlatform(platform))
                yield return "  " + line;
        }

        if (image.Attachments.Count == 0)
            yield break;
        yield return "";
        foreach (var line in OfAttachments(image.Attachments))
            yield return "  " + line;
    }

    private static IEnumerable<string> OfAttachments(IReadOnlyList<InspectedAttachment> attachments)
    {
        var table = new TextTable("ATTACHED", "TO", "DIGEST", "CLAIMS");
        foreach (var (attachment, provenance) in attachments)
            table.Add(
                string.Join(", ", attachment.Types.Select(AttachmentTypes.NameOf).Select(Text.Sanitize)),
                Short(attachment.Subject),
                Short(attachment.Descriptor.Digest),
                provenance is null ? "" : Claims(provenance)
            );
        return table.Lines();
    }

    // Unsigned: anybody who may push can have written it.
    private static string Claims(ProvenanceSummary provenance) =>
        Text.Sanitize(
            $"built by {provenance.Builder ?? "an unknown builder"}"
                + (provenance.Source is null ? "" : $" from {provenance.Source}")
                + (provenance.Commit is null ? "" : $" at {provenance.Commit[..Math.Min(provenance.Commit.Length, 12)]}")
        );

    public static IEnumerable<string> OfMoves(TagResult result, bool dryRun)
    {
        var table = new TextTable("TAG", "BEFORE", "NOW");
        foreach (var (tag, before) in result.Moves)
            table.Add(
                tag.Value,
                before is null ? "-" : Short(before),
                before == result.Image.Digest ? "unchanged" : Short(result.Image.Digest)
            );
        return [$"{(dryRun ? "Would tag" : "Tagged")} {result.Repository}@{result.Image.Digest}", .. table.Lines()];
    }

    public static IEnumerable<string> OfCopy(CopyResult result, bool dryRun)
    {
        foreach (var delivery in result.Deliveries)
        {
            yield return $"{(dryRun ? "Would copy" : "Copied")} {result.Source} to {delivery.Name}: {(delivery.Tags.Count == 0 ? ("without "
+ "a tag") : string.Join(", ", delivery.Tags))}";
            yield return $"  {delivery.Name}@{result.Root.Digest}";
            var attached = result.Attachments == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {result.Attachments} attached");
            yield return $"  {PublishSummary.Moved(delivery)}{attached}";
        }
    }

    public static IEnumerable<string> OfSymbols(string image, IReadOnlyList<PulledSymbols> pulled)
    {
        foreach (var symbols in pulled)
        {
            var platforms = string.Join(", ", symbols.Platforms.Select(platform => Text.Sanitize(platform.Config.Platform.ToString())));
            yield return $"Debug symbols of {image}, {platforms}: {Text.Count(symbols.Files, "file")}, " + ByteSize.Show(symbols.Length);
            yield return $"  They are in {symbols.Folder}";
        }
    }

    internal static string Short(Digest digest) => digest.Value[..Math.Min(digest.Value.Length, ShortDigest)];

    private static IEnumerable<string> OfPlatform(InspectedPlatform platform)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{platform.Config.Platform}  {ByteSize.Show(platform.Size)}  "
                + $"created {Date(platform.Config.Created)}  {platform.Descriptor.Digest}"
        );
        foreach (var (name, value) in Settings(platform.Config.Config))
            yield return $"  {name, -12} {Text.Sanitize(value)}";
        var made = platform
            .Config.History?.Where(entry => entry.EmptyLayer != true)
            .Select(entry => entry.Comment ?? entry.CreatedBy ?? "")
            .ToList()
            ?? [];
        var table = new TextTable("LAYER", ">SIZE", "MADE BY");
        for (var at = 0; at < platform.Manifest.Layers.Count; at++)
            table.Add(
                Short(platform.Manifest.Layers[at].Digest),
                ByteSize.Show(platform.Manifest.Layers[at].Size),
                Text.Sanitize(at < made.Count ? made[at] : "")
            );
        foreach (var line in table.Lines())
            yield return "  " + line;
    }

    private static IEnumerable<(string Name, string Value)> Settings(ExecutionConfig? config)
    {
        if (config?.User is { Length: > 0 } user)
            yield return ("user", user);
        if (config?.WorkingDir is { Length: > 0 } folder)
            yield return ("folder", folder);
        if (config?.Entrypoint is { Count: > 0 } entrypoint)
            yield return ("entrypoint", string.Join(' ', entrypoint));
        if (config?.Cmd is { Count: > 0 } command)
            yield return ("command", string.Join(' ', command));
        if (config?.ExposedPorts is { Count: > 0 } ports)
            yield return ("ports", string.Join(", ", ExposedPort.Read(ports)));
        foreach (var variable in config?.Env ?? [])
            yield return ("env", variable);
        foreach (var (name, value) in config?.Labels ?? new Dictionary<string, string>())
            yield return ("label", $"{name}={value}");
    }

    private static string Join(IReadOnlyList<Platform> platforms) => string.Join(", ", platforms);

    // Minutes are enough, and foreign text must not break the table.
    private static string Date(string? created) =>
        DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
            : "";
}
