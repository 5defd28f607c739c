using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reporting;

/// <summary>What a publish would do, for people.</summary>
internal static class PlanTables
{
    private const int MaxFiles = 20;
    private const int MaxValue = 100;

    public static IEnumerable<string> Lines(string project, ImagePlan plan)
    {
        foreach (var place in plan.Destinations)
        {
            foreach (
                var line in DescribeDestination(project, place, plan.Result.Root.Descriptor.Digest, plan.Result.IsUnchanged)
                    .Concat(Blobs(place))
            )
                yield return line;
        }

        foreach (var line in Base(plan.Base).Concat(plan.Changes is { } changes ? Changes(changes, plan.Result.Image.Digest) : []))
            yield return line;
        if (PublishSummary.Omitted(plan.Result) is { } omitted)
            yield return omitted;
    }

    /// <summary>An index.</summary>
    /// <param name="deliveries">What the publish would report of all its images together, one for each destination.</param>
    public static IEnumerable<string> Lines(string project, IndexPlan plan, IReadOnlyList<DestinationResult> deliveries) =>
        plan
            .Destinations.Zip(deliveries)
            .SelectMany(one =>
                DescribeDestination(
                    project,
                    one.First with
                    {
                        Delivery = one.Second,
                    },
                    plan.Result.Index.Descriptor.Digest,
                    plan.Result.IsUnchanged
                )
            );

    private static IEnumerable<string> DescribeDestination(string project, PlannedDestinationResult place, Digest digest, bool isUnchanged)
    {
        var delivery = place.Delivery;
        yield return $"{project} -> {delivery.Name} ({(isUnchanged ? "unchanged" : "planned: " + ToMove(delivery))})";
        yield return $"  {delivery.Name}@{digest}";
        if (place.Tags.Count == 0)
            yield break;
        var table = new TextTable("TAG", "NOW", "THEN");
        foreach (var tag in place.Tags)
            table.Add(
                tag.Tag.Value,
                tag.Before is null ? "-" : ImageTables.Short(tag.Before),
                tag.Moves ? ImageTables.Short(tag.After) : "unchanged"
            );
        foreach (var line in table.Lines())
            yield return "  " + line;
    }

    private static string ToMove(DestinationResult delivery)
    {
        var parts = new List<string>
        {
            $"{ByteSize.Show(delivery.Transfer.UploadedBytes)} {Describe(TransferKind.Uploaded, delivery.Repository is null)}",
        };
        if (delivery.Transfer.MountedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.MountedBytes)} {Describe(TransferKind.Mounted, false)}");
        if (delivery.Transfer.ReusedBytes > 0)
            parts.Add($"{ByteSize.Show(delivery.Transfer.ReusedBytes)} {Describe(TransferKind.Reused, false)}");
        return string.Join(", ", parts);
    }

    private static IEnumerable<string> Blobs(PlannedDestinationResult place)
    {
        var table = new TextTable("LAYER", "DIGEST", ">SIZE", "");
        foreach (var blob in place.Blobs)
            table.Add(
                blob.Name,
                ImageTables.Short(blob.Descriptor.Digest),
                ByteSize.Show(blob.Descriptor.Size),
                Describe(blob.Transfer.Kind, place.Delivery.Repository is null)
            );
        return table.Lines().Select(line => "  " + line);
    }

    private static string Describe(TransferKind move, bool isStore) =>
        move switch
        {
            TransferKind.Reused => "already there",
            TransferKind.Mounted => "to mount",
            TransferKind.Streamed when !isStore => "to stream",
            _ => isStore ? "to write" : "to upload",
        };

    private static IEnumerable<string> Base(PlannedBase plannedBase) =>
        plannedBase switch
        {
            { HasDrifted: true } =>
            [
                $"  The base {plannedBase.Name} moved: {ImageTables.Short(plannedBase.Before!)} "
                    + $"-> {ImageTables.Short(plannedBase.Digest!)}",
            ],
            { Digest: { } digest } =>
            [
                $"  The base {plannedBase.Name} is {ImageTables.Short(digest)}{(plannedBase.Before is null ? "" : ", as before")}",
            ],
            _ => [$"  The base is {plannedBase.Name}"],
        };

    private static IEnumerable<string> Changes(ImageChanges changes, Digest digest)
    {
        if (changes.Digest == digest)
            return [$"  Nothing changed against {changes.Against}"];
        return
        [
            $"  Changed against {changes.Against} ({ImageTables.Short(changes.Digest)}):",
            .. changes.Layers.SelectMany(Layer).Concat(changes.Config.Select(Config)).Select(line => "    " + line),
        ];
    }

    private static IEnumerable<string> Layer(LayerChange layer)
    {
        if (layer.Kind == ChangeKind.Same)
            yield break;
        yield return $"{Sign(layer.Kind)} layer {Text.Sanitize(layer.Name)}";
        foreach (var file in layer.Files.Take(MaxFiles))
            yield return $"  {Sign(file.Kind)} /{Text.Sanitize(file.Path)}  {Sizes(file)}";
        if (layer.Files.Count > MaxFiles)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  and {layer.Files.Count - MaxFiles} files more; the result file has all of them"
            );
    }

    private static string Sizes(FileChange file) =>
        (file.Before, file.After) switch
        {
            (null, { } after) => ByteSize.Show(after),
            ({ } before, null) => ByteSize.Show(before),
            ({ } before, { } after) when before != after => $"{ByteSize.Show(before)} -> {ByteSize.Show(after)}",
            ({ } before, _) => ByteSize.Show(before),
            _ => "",
        };

    private static string Config(ConfigChange change) =>
        (change.Before, change.After) switch
        {
            (null, { } after) => $"+ {Shown(change.Name)}: {Shown(after)}",
            ({ } before, null) => $"- {Shown(change.Name)}: {Shown(before)}",
            var (before, after) => $"~ {Shown(change.Name)}: {Shown(before!)} -> {Shown(after!)}",
        };

    private static string Sign(ChangeKind kind) =>
        kind switch
        {
            ChangeKind.Added => "+",
            ChangeKind.Removed => "-",
            _ => "~",
        };

    private static string Shown(string text) => Text.Shortened(text, MaxValue);
}
