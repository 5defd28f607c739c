using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Commands;

/// <summary>Compares the bases that images were made of with what the names of these bases point at now.</summary>
public sealed class CheckImages : CommandTask
{
    private const int MaxNamed = 5;

    /// <summary>References and repositories with patterns of tags; empty for the project's own image.</summary>
    public string? Sources { get; set; }

    /// <summary>A file with one of them a line.</summary>
    public string? SourceFile { get; set; }

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whether an image behind its base fails the build.</summary>
    public bool FailOnDrift { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var selection = ImageSelection.Read(Sources, SourceFile, this);
        var registries = Connect(selection.Registries).Registries;
        var images = await selection.ResolveAsync(registries, cancellationToken);
        var checker = new DriftChecker(new PublishContext(registries, OpenStore(), log), image => BaseMirror.Apply(image, BaseRegistry));
        var drifts = await checker.CheckAsync(images, cancellationToken);
        Report(log, RebaseTables.OfDrift(drifts));
        Items = [.. drifts.Select(ItemOf)];
        Warn(drifts, log);
        var behind = drifts.Count(drift => drift.State == DriftState.Behind);
        if (FailOnDrift && behind > 0)
            Failure = new ImagePublishException(
                DiagnosticCodes.BaseOutdated,
                $"{behind} of {drifts.Count} images are behind their bases, and ImageFailOnDrift is true. Rebase or publish them again."
            );
    }

    private static CommandItem ItemOf(ImageDrift drift) =>
        CommandItem.Create(
            drift.Image.ToString(),
            ("State", drift.State.ToString()),
            ("Digest", drift.Digest),
            ("BaseName", drift.Base?.Reference),
            ("BaseDigest", drift.Base?.Digest),
            ("CurrentBaseDigest", drift.CurrentDigest),
            ("CurrentBaseCreated", drift.CurrentCreated),
            ("Runtime", drift.Runtime),
            ("CurrentRuntime", drift.CurrentRuntime),
            ("Packages", drift.Packages?.Select(package => $"{package.Name} {package.Version ?? "-"} {package.CurrentVersion ?? "-"}")),
            ("EndOfLife", drift.EndOfLife is { } end ? RebaseTables.Date(end) : null),
            ("Superseded", drift.Superseded is { } superseded ? RebaseTables.Date(superseded) : null),
            ("Code", drift.Failure?.Code),
            ("Reason", drift.Failure?.Message)
        );

    // One for each base: a hundred services on one base are one thing to do. CI systems mark these lines.
    private static void Warn(IReadOnlyList<ImageDrift> drifts, IPublishLog log)
    {
        foreach (
            var group in drifts
                .Where(drift => drift.State == DriftState.Behind)
                .GroupBy(drift => (drift.Base!.Reference, drift.CurrentDigest))
        )
            log.Warning(
                DiagnosticCodes.BaseOutdated,
                $"'{group.Key.Reference}' is {group.Key.CurrentDigest} now, and an older one is the base of {Named(group)}. "
                    + "Rebase them (RebaseImage), or publish them again."
            );
        var today = DateOnly.FromDateTime(DateTimeOffset.UtcNow.UtcDateTime);
        foreach (var group in drifts.Where(drift => drift.EndOfLife <= today).GroupBy(drift => (drift.Base!.Reference, drift.EndOfLife)))
            log.Warning(
                DiagnosticCodes.BaseUnsupported,
                $"'{group.Key.Reference}' gets no more fixes since {RebaseTables.Date(group.Key.EndOfLife)}, "
                    + $"and is the base of {Named(group)}. Choose a newer one."
            );
        foreach (var drift in drifts.Where(drift => drift.Failure is not null))
            log.Warning(DiagnosticCodes.DriftUnknown, $"'{drift.Image}' is not checked ({drift.Failure!.Code}): {drift.Failure.Message}");
    }

    private static string Named(IEnumerable<ImageDrift> drifts)
    {
        var names = drifts.Select(drift => $"'{drift.Image}'").ToList();
        return names.Count <= MaxNamed
            ? string.Join(", ", names)
            : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names.Take(MaxNamed))} and {names.Count - MaxNamed} more");
    }
}
