using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Reproducing;

/// <summary>An image that was built, and of what.</summary>
/// <param name="Contents">The files of the layers above the base, from the bottom up.</param>
internal sealed record RebuiltImage(Image Image, BaseImage Base, IReadOnlyList<LayerInput> Contents);

/// <summary>
/// Explains how an image differs from the one that was built here: documents first, then the files of the layers that differ, then the
/// bytes of the files that differ. The image that was named may be anybody's.
/// </summary>
internal sealed class ImageExplainer(ReproductionPlan plan, ImageStore store)
{
    private const string BaseAdvice = "Set ImageBase as its publish did, or check out its commit";

    private readonly Findings findings = new();

    /// <summary>Compares an image with the one that was built for the same platform.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had.</exception>
    public async Task<PlatformReproduction> CompareAsync(Image named, RebuiltImage rebuilt, CancellationToken cancellationToken)
    {
        if (named.Digest != rebuilt.Image.Digest)
        {
            var start = FindOwn(named, rebuilt);
            CompareBases(named, rebuilt, start);
            // What labels say comes first: assemblies repeat it.
            var settings = new SettingExplainer(plan, findings);
            settings.CompareConfigs(named, rebuilt.Image);
            await CompareLayersAsync(named, rebuilt, start, cancellationToken);
            settings.CompareDocuments(named, rebuilt.Image);
            ExplainTools();
            ExplainChanges();
            if (!findings.HasCauses)
                findings.Explain(
                    CauseKind.Unknown,
                    "its documents are written in another way, and say the same",
                    "Look at the differences below, and at the versions of the tools that made it"
                );
        }

        return new PlatformReproduction
        {
            Platform = Text.Sanitize((rebuilt.Image.Platform with { OsVersion = null }).ToString()),
            Digest = named.Digest.ToString(),
            RebuiltDigest = rebuilt.Image.Digest.ToString(),
            Base = rebuilt.Base.Digest is { } digest ? $"{rebuilt.Base.Name}@{digest}" : rebuilt.Base.Name,
            Causes = findings.Causes,
            Differences = findings.Differences,
        };
    }

    // Where the layers begin that a publish put on the base.
    private static int FindOwn(Image named, RebuiltImage rebuilt)
    {
        var names = ImageComposer.LayerNames(named.Config);
        for (var index = 0; index < names.Count; index++)
        {
            if (names[index] is not null)
                return index;
        }

        return Math.Min(rebuilt.Base.Layers.Count, names.Count);
    }

    private void CompareBases(Image named, RebuiltImage rebuilt, int start)
    {
        var (labels, own) = (named.Config.Config?.Labels, rebuilt.Image.Config.Config?.Labels);
        var (name, digest) = (ValueOf(labels, ImageLabels.BaseName), ValueOf(labels, ImageLabels.BaseDigest));
        if ((name, digest) != (ValueOf(own, ImageLabels.BaseName), ValueOf(own, ImageLabels.BaseDigest)))
        {
            var (was, now) = (Named(name, digest), Named(rebuilt.Base.Name, rebuilt.Base.Digest?.ToString()));
            findings.Explain(CauseKind.Base, $"it is based on {was}, and this build on {now}", BaseAdvice);
        }

        var diffIds = named.Config.RootFs.DiffIds.Take(start).ToList();
        if (diffIds.SequenceEqual(rebuilt.Base.Config.RootFs.DiffIds))
            return;
        findings.Differ("base", null, Counted($"{diffIds.Count} layers in the image, {rebuilt.Base.Layers.Count} here; not the same ones"));
        if (!findings.Has(CauseKind.Base))
            findings.Explain(
                CauseKind.Base,
                "its lower layers are not those of the base that it names, " + Named(rebuilt.Base.Name, rebuilt.Base.Digest?.ToString()),
                "It was squashed, its labels are another image's, or it was put on another base by another tool"
            );
    }

    private static string? ValueOf(IReadOnlyDictionary<string, string>? labels, string name) => labels?.GetValueOrDefault(name);

    private static string Named(string? name, string? digest) =>
        (name, digest) switch
        {
            (null, null) => "a base that it does not name",
            (_, null) => Text.Sanitize(name),
            _ => Text.Sanitize($"{name}@{digest}"),
        };

    private async Task CompareLayersAsync(Image named, RebuiltImage rebuilt, int start, CancellationToken cancellationToken)
    {
        var names = ImageComposer.LayerNames(named.Config);
        var own = ImageComposer.LayerNames(rebuilt.Image.Config);
        var below = rebuilt.Base.Layers.Count;
        ComparedLayer[] after =
        [
            .. rebuilt
                .Image.Layers.Skip(below)
                .Select((layer, at) => new ComparedLayer(own[below + at] ?? rebuilt.Contents[at].Name, layer, Files(rebuilt.Contents[at]))),
        ];
        // On a base without history no layer has a name.
        var isAlike = named.Layers.Count - start == after.Length;
        ComparedLayer[] before =
        [
            .. named
                .Layers.Skip(start)
                .Select((layer, at) => new ComparedLayer(NameOf(names[start + at], at, isAlike ? after[at].Name : null), layer, null)),
        ];
        var (old, now) = (DiffIds(before), DiffIds(after));
        if (old.SequenceEqual(now))
            await CompareBlobsAsync(before, after, cancellationToken);
        else if (old.Order(StringComparer.Ordinal).SequenceEqual(now.Order(StringComparer.Ordinal)))
            findings.Explain(
                CauseKind.LayerOrder,
                $"the same layers are in another order: {string.Join(", ", before.Select(layer => layer.Name))}; here "
                    + string.Join(", ", after.Select(layer => layer.Name)),
                "Another tool, or another version of this package, wrote it"
            );
        else
            await CompareFilesAsync(before, after, cancellationToken);
    }

    private static string NameOf(string? name, int at, string? fallback) =>
        name is not null ? Text.Sanitize(name) : fallback ?? Counted($"{at + 1} above the base");

    // A layer of packages that was known has no files at hand: they are read from its blob.
    private static LayerInput? Files(LayerInput content) => content.Entries.Count == 0 ? null : content;

    private static List<string> DiffIds(IEnumerable<ComparedLayer> layers) => [.. layers.Select(layer => layer.Layer.DiffId.ToString())];

    // A blob says which content it has; whether that is so is only known when it is read.
    private async Task CompareBlobsAsync(ComparedLayer[] before, ComparedLayer[] after, CancellationToken cancellationToken)
    {
        foreach (var (old, now) in before.Zip(after))
        {
            var (blob, own) = (old.Layer.Descriptor, now.Layer.Descriptor);
            if (blob.Digest == own.Digest)
                continue;
            findings.Differ(
                $"layer {old.Name}",
                null,
                Counted($"{blob.Size:N0} bytes compressed ({Text.Sanitize(blob.MediaType)}), here {own.Size:N0} ({own.MediaType})")
            );
            if (old.Unreadable is { } reason)
            {
                ExplainUnreadable(old, reason);
                continue;
            }

            if (!await IsIntactAsync(old, cancellationToken))
                continue;
            findings.Explain(
                CauseKind.Compression,
                $"layer {old.Name} has the same content, compressed in another way",
                "Set ImageCompression and ImageCompressionLevel as its publish did; another tool or another version of this package may "
                    + "have compressed it"
            );
        }
    }

    private async Task<bool> IsIntactAsync(ComparedLayer layer, CancellationToken cancellationToken)
    {
        try
        {
            await using var blob = await layer.Layer.Source!.OpenAsync(0, cancellationToken);
            await LayerReader.VerifyAsync(blob, layer.Layer.DiffId, cancellationToken);
            return true;
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.LayerInvalid)
        {
            ExplainUnreadable(layer, $"is not what its diff id says ({exception.Message.TrimEnd('.')})");
            return false;
        }
    }

    private async Task CompareFilesAsync(ComparedLayer[] before, ComparedLayer[] after, CancellationToken cancellationToken)
    {
        var same = before.Select(layer => layer.Layer.DiffId).Intersect(after.Select(layer => layer.Layer.DiffId)).ToHashSet();
        var unread = before.Where(layer => !same.Contains(layer.Layer.DiffId) && layer.Unreadable is not null).ToList();
        foreach (var layer in unread)
            ExplainUnreadable(layer, layer.Unreadable!);
        try
        {
            var files = new FileExplainer(plan, store, findings);
            await files.CompareAsync(
                [.. before.Where(layer => !same.Contains(layer.Layer.DiffId) && layer.Unreadable is null)],
                [.. after.Where(layer => !same.Contains(layer.Layer.DiffId))],
                isComplete: unread.Count == 0,
                cancellationToken
            );
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.LayerInvalid)
        {
            findings.Explain(
                CauseKind.Unreadable,
                $"a layer of it is damaged or hostile ({exception.Message.TrimEnd('.')})",
                "Its files can't be compared with a build"
            );
        }
    }

    private void ExplainUnreadable(ComparedLayer layer, string reason)
    {
        findings.Differ($"layer {layer.Name}", null, $"{reason}: its files are not compared");
        findings.Explain(CauseKind.Unreadable, $"layer {layer.Name} {reason}", "Its files can't be compared with a build");
    }

    // Versions that the image's provenance names. They explain something only where something differs that they decide.
    private void ExplainTools()
    {
        if (Differs(plan.NamedSdk, plan.Sdk))
            findings.Explain(
                CauseKind.Sdk,
                $"it was built by .NET SDK {Text.Sanitize(plan.NamedSdk!)}, as its provenance says, and this build by {plan.Sdk}",
                "Install that SDK, and name it in global.json"
            );
        if (Differs(plan.NamedTool, plan.Tool))
            findings.Explain(
                CauseKind.Tool,
                $"it was made by ImagePublish.Tasks {Text.Sanitize(plan.NamedTool!)}, as its provenance says, and here it is {plan.Tool}",
                "Use the version of the package that its commit names"
            );
    }

    // Only files that differ: what else was changed here need not be part of the image.
    private void ExplainChanges()
    {
        var names = findings.Differences.Select(one => one.Name?.Split('/', ' ')[^1]).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var changed = plan.Changed.FirstOrDefault(path => names.Contains(LayerPath.NameOf(path)));
        if (changed is null && findings.Has(CauseKind.Source) && plan.Changed is [var first, ..])
            changed = first;
        if (changed is not null)
            findings.Explain(
                CauseKind.WorkingTree,
                $"'{Text.Sanitize(changed)}' here is not as its commit has it",
                "Commit, stash or remove what was changed, and run again"
            );
    }

    private static bool Differs(string? named, string? here) => named is not null && here is not null && named != here;

    private static string Counted(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
