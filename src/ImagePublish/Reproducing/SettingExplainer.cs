using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;

namespace ImagePublish.Reproducing;

/// <summary>Explains differences of two images' documents: config, media types, annotations.</summary>
internal sealed class SettingExplainer(ReproductionPlan plan, Findings findings)
{
    private const string Config = "config";
    private const string Labels = "label org.opencontainers.image.";
    private const string Revision = Labels + "revision";

    public void CompareConfigs(Image named, Image rebuilt)
    {
        foreach (var change in ConfigComparer.Compare(named.Config, rebuilt.Config))
        {
            var name = Text.Sanitize(change.Name);
            findings.Differ(Config, name, $"{Shown(change.Before)} in the image, {Shown(change.After)} here");
            Explain(change with { Name = name });
        }
    }

    /// <summary>Compares what is left of the documents.</summary>
    public void CompareDocuments(Image named, Image rebuilt)
    {
        var (old, now) = (named.Manifest.Descriptor, rebuilt.Manifest.Descriptor);
        if (MediaTypes.FormatOf(old.MediaType) != MediaTypes.FormatOf(now.MediaType))
            findings.Explain(
                CauseKind.Format,
                $"its documents are those of {MediaTypes.FormatOf(old.MediaType)}, and here of {MediaTypes.FormatOf(now.MediaType)}",
                "Set ImageFormat as its publish did"
            );
        if (HasProofs(named) != HasProofs(rebuilt))
            findings.Explain(
                CauseKind.Proofs,
                HasProofs(named)
                    ? "it has proofs of its layers, made with IMAGE_CACHE_KEY, which is not set here"
                    : "it has no proofs of its layers, and IMAGE_CACHE_KEY is set here",
                "Set IMAGE_CACHE_KEY as its publish did"
            );
        CompareAnnotations(named, rebuilt);
        CompareHistory(named, rebuilt);
    }

    private void Explain(ConfigChange change)
    {
        var (was, now) = (Shown(change.Before), Shown(change.After));
        switch (change.Name)
        {
            case Revision:
                ExplainCommit(change);
                break;
            case Labels + "version":
                findings.Explain(
                    CauseKind.Version,
                    $"its version is {was}, and this build's {now}",
                    "Pass the same -p:Version=… as its publish did"
                );
                break;
            case "created" or Labels + "created":
                ExplainTime(change);
                break;
            case "label net.dot.runtime.majorminor":
                findings.Explain(CauseKind.Options, $"it was built for .NET {was}, and this build is for {now}", "Check out its commit");
                break;
            // The base is compared by itself.
            case Labels + "base.name" or Labels + "base.digest":
                break;
            case var label when label.StartsWith("label ", StringComparison.Ordinal):
                findings.Explain(CauseKind.Label, $"{change.Name} is {was}, and here {now}", "Set ImageLabel as its publish did");
                break;
            case var setting:
                findings.Explain(
                    CauseKind.Setting,
                    $"{setting} is {was}, and here {now}",
                    "It was published with another setting, or changed afterwards"
                );
                break;
        }
    }

    private void ExplainCommit(ConfigChange change)
    {
        var head = plan.Head is null
            ? "there is no git checkout here"
            : $"this build is of {Shown(change.After)}" + (plan.Head == change.After ? "" : $" (HEAD is {plan.Head})");
        var named = change.Before is null ? "it does not name its commit" : $"it was built of commit {Shown(change.Before)}";
        var advice =
            change.Before is null ? "Publish it with its commit: see ImageRevision"
            : plan.Head is null ? "Build in a clone, at that commit"
            : $"Check out its commit: git checkout {Shown(change.Before)}";
        findings.Explain(CauseKind.Commit, $"{named}, and {head}", advice);
    }

    private void ExplainTime(ConfigChange change) =>
        findings.Explain(
            CauseKind.Created,
            $"its instant (created) is {Shown(change.Before)}, and this build's {Shown(change.After)}",
            change.Before is null
                ? "Something removed it"
                : $"If its publish set SOURCE_DATE_EPOCH or ImageCreated: -p:ImageCreated={Shown(change.Before)}"
        );

    private void CompareAnnotations(Image named, Image rebuilt)
    {
        var (old, now) = (AnnotationsOf(named), AnnotationsOf(rebuilt));
        foreach (var name in old.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var (was, isNow) = (old.GetValueOrDefault(name), now.GetValueOrDefault(name));
            if (was == isNow)
                continue;
            findings.Differ("manifest", $"annotation {Text.Sanitize(name)}", $"{Shown(was)} in the image, {Shown(isNow)} here");
            // Annotations repeat the labels.
            if (!findings.HasCauses)
                findings.Explain(
                    CauseKind.Annotation,
                    $"annotation {Text.Sanitize(name)} is {Shown(was)}, and here {Shown(isNow)}",
                    "Set ImageAnnotation as its publish did"
                );
        }
    }

    private void CompareHistory(Image named, Image rebuilt)
    {
        var (old, now) = (HistoryOf(named), HistoryOf(rebuilt));
        if (old.SequenceEqual(now))
            return;
        findings.Differ("config", "history", $"{old.Count} steps in the image, {now.Count} here; not the same ones");
        if (!findings.HasCauses)
            findings.Explain(
                CauseKind.Tool,
                "its history was written in another way",
                "Another tool, or another version of this package, wrote it"
            );
    }

    private static List<(string?, string?, bool?)> HistoryOf(Image image) =>
        [.. (image.Config.History ?? []).Select(entry => (entry.CreatedBy, entry.Comment, entry.EmptyLayer))];

    private static IReadOnlyDictionary<string, string> AnnotationsOf(Image image) =>
        OciJson.ReadManifest(image.Manifest.Content.Span).Annotations ?? new Dictionary<string, string>();

    private static bool HasProofs(Image image) => image.Config.Unknown.Any(field => field.Name == LayerProofs.Field);

    private static string Shown(string? value) => string.IsNullOrEmpty(value) ? "nothing" : Text.Sanitize(value);
}
