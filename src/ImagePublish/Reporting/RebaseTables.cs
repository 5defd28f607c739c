using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Rebasing;

namespace ImagePublish.Reporting;

/// <summary>Drift and rebases, as tables for people.</summary>
internal static class RebaseTables
{
    private const int MaxChanges = 12;

    public static IEnumerable<string> OfDrift(IReadOnlyList<ImageDrift> images)
    {
        if (images.Count == 0)
            return ["No images."];
        var table = new TextTable("IMAGE", "BASE", "STATE", "RUNTIME", "PACKAGES", "UNTIL");
        foreach (var image in images)
            table.Add(
                image.Image.ToString(),
                image.Base?.ToString() ?? "",
                StateOf(image),
                image.CurrentRuntime is null ? image.Runtime ?? "" : Versions(image.Runtime, image.CurrentRuntime),
                image.Packages is { } packages ? string.Create(CultureInfo.InvariantCulture, $"{packages.Count} differ") : "",
                Date(image.EndOfLife)
            );
        return [.. table.Lines(), Summarize(images)];
    }

    public static string Date(DateOnly? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "";

    public static IEnumerable<string> OfRebases(IReadOnlyList<RebaseOutcome> outcomes, bool dryRun)
    {
        if (outcomes is [{ Result: { IsUnchanged: false } only }])
            return OfRebase(only, dryRun);
        var table = new TextTable("IMAGE", "OUTCOME", "BEFORE", "NOW", "RUNTIME");
        foreach (var outcome in outcomes)
            table.Add(
                outcome.Image.ToString(),
                Outcome(outcome, dryRun),
                outcome.Result is { } result ? ImageTables.Short(result.Before.Digest) : "",
                outcome.Result is { IsUnchanged: false } moved ? ImageTables.Short(moved.After.Digest) : "",
                outcome.Result is { IsUnchanged: false } changed ? Runtime(changed) : ""
            );
        return table.Lines();
    }

    private static IEnumerable<string> OfRebase(RebaseResult result, bool dryRun)
    {
        var (repository, platform) = (result.Image.Repository, result.Platforms[0]);
        var tags = result.Tags.Count == 0 ? "without a tag" : string.Join(", ", result.Tags);
        yield return $"{(dryRun ? "Would rebase" : "Rebased")} {result.Image} onto {platform.Base.New.Name}: {tags}";
        yield return $"  {repository}@{result.After.Digest}";
        yield return $"  before: {repository}@{result.Before.Digest}";
        yield return $"  base: {ImageTables.Short(platform.Base.Old.Digest!)} -> {ImageTables.Short(platform.Base.New.Digest!)}, "
            + $".NET {Runtime(result)}, {string.Join(", ", result.Platforms.Select(one => one.Platform))}";
        yield return $"  {Moved(result)}";
        var changes = platform.Changes.Where(change => change.Name != "label " + Images.ImageLabels.BaseDigest).ToList();
        foreach (var change in changes.Take(MaxChanges))
            yield return $"  {Text.Sanitize(change.Name)}: {Change(change.Before, change.After)}";
        if (changes.Count > MaxChanges)
            yield return string.Create(CultureInfo.InvariantCulture, $"  and {changes.Count - MaxChanges} more settings");
        if (result.Renewed.Count > 0)
            yield return $"  attached again: {string.Join(", ", result.Renewed)}";
        if (result.LeftBehind.Count > 0)
            yield return "  not valid for the new image, so not copied: " + string.Join(", ", result.LeftBehind.Select(Text.Sanitize));
    }

    private static string Moved(RebaseResult result) =>
        $"{ByteSize.Show(result.Transfer.UploadedBytes)} uploaded, {ByteSize.Show(result.Transfer.MountedBytes)} mounted, "
        + $"{ByteSize.Show(result.Transfer.ReusedBytes)} reused";

    private static string Outcome(RebaseOutcome outcome, bool dryRun) =>
        outcome.Refused is { } refused ? $"refused ({refused.Code})"
        : outcome.Result!.IsUnchanged ? "current"
        : dryRun ? "would be rebased"
        : "rebased";

    private static string Runtime(RebaseResult result) =>
        Versions(result.Platforms[0].Base.OldRuntime, result.Platforms[0].Base.NewRuntime);

    private static string Versions(string? before, string? now) => before == now ? now ?? "" : Change(before, now);

    private static string Change(string? before, string? now) => $"{Shown(before)} -> {Shown(now)}";

    private static string Shown(string? text) => string.IsNullOrEmpty(text) ? "-" : Text.Shortened(Text.Sanitize(text), 100);

    private static string StateOf(ImageDrift image) =>
        image.State switch
        {
            DriftState.Current => "current",
            DriftState.Behind => "behind",
            _ => $"unknown ({image.Failure?.Code})",
        };

    private static string Summarize(IReadOnlyList<ImageDrift> images) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{images.Count(image => image.State == DriftState.Behind)} of {images.Count} images are behind their bases."
        );
}
