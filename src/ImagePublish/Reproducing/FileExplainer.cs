using System.Globalization;
using System.Text;
using ImagePublish.Layers;
using ImagePublish.Packages.Layout;
using ImagePublish.Packages.Model;
using ImagePublish.Publishing.Explain;
using ImagePublish.Storage;
using Text = ImagePublish.Common.Text;

namespace ImagePublish.Reproducing;

/// <summary>Explains differences of the files in layers that differ. All layers are read once, the files that differ once more.</summary>
internal sealed class FileExplainer(ReproductionPlan plan, ImageStore store, Findings findings)
{
    private const int MaxRead = 100;
    private const int MaxStatus = 64 << 10;
    private const int MaxVersion = 100;
    private const long MaxMemory = 192L << 20;

    private static readonly string[] Telling = [".deps.json", ".runtimeconfig.json", ".dll", ".pdb"];

    private bool hasOtherPackages;

    private sealed record PlacedFile(ComparedLayer Layer, FileState State);

    /// <summary>Compares layers as one set of files: what moved to another layer is no other file.</summary>
    /// <param name="isComplete">Whether these are all layers of the image that differ.</param>
    /// <exception cref="Diagnostics.ImagePublishException">A layer can't be had, or is damaged.</exception>
    public async Task CompareAsync(ComparedLayer[] before, ComparedLayer[] after, bool isComplete, CancellationToken cancellationToken)
    {
        var known = findings.Count;
        var old = await ListAsync(before, cancellationToken);
        var now = await ListAsync(after, cancellationToken);
        await ExplainPackagesAsync((old, now), (before, after), isComplete, cancellationToken);
        var changed = new List<string>();
        foreach (var path in old.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var (was, isNow) = (old.GetValueOrDefault(path), now.GetValueOrDefault(path));
            if (was is not null && isNow is not null)
            {
                if (was.State != isNow.State && IsContent(was.State, isNow.State))
                    changed.Add(path);
                else
                    CompareAttributes(path, was, isNow);
            }
            else if (was is not null || isComplete)
                ExplainMissing(path, was, isNow);
        }

        await CompareContentsAsync(changed, (old, now), (before, after), cancellationToken);
        if (findings.Count > known || !isComplete)
            return;
        findings.Differ($"layer {before.FirstOrDefault()?.Name}", null, "the same files in another tar: folders, order or headers differ");
        findings.Explain(
            CauseKind.Tool,
            "its layers have the same files, written into a tar in another way",
            "Another tool, or another version of this package, wrote them"
        );
    }

    // The layer names its packages and their versions: what they bring differs where those do.
    private async Task ExplainPackagesAsync(
        (Dictionary<string, PlacedFile> Old, Dictionary<string, PlacedFile> Now) files,
        (ComparedLayer[] Before, ComparedLayer[] After) layers,
        bool isComplete,
        CancellationToken cancellationToken
    )
    {
        var paths = files
            .Old.Keys.Union(files.Now.Keys)
            .Where(path => path.StartsWith(PackageLayout.StatusFolder, StringComparison.Ordinal))
            .Where(path => files.Old.ContainsKey(path) || isComplete)
            .Where(path => files.Old.GetValueOrDefault(path)?.State != files.Now.GetValueOrDefault(path)?.State)
            .Order(StringComparer.Ordinal)
            .Take(MaxRead)
            .ToHashSet(StringComparer.Ordinal);
        var named = await ReadAsync(layers.Before, paths, cancellationToken);
        var rebuilt = await ReadAsync(layers.After, paths, cancellationToken);
        foreach (var path in paths.Order(StringComparer.Ordinal))
        {
            var (was, now) = (VersionIn(named, path), VersionIn(rebuilt, path));
            if (was == now)
                continue;
            hasOtherPackages = true;
            findings.Explain(
                CauseKind.Package,
                $"the system's package {Shown(LayerPath.NameOf(path))} is {was ?? "not in it"}, and here {now ?? "nothing"}",
                "Its source has another version by now. Commit image.lock.json (dotnet msbuild -t:UpdateImageLock), and let "
                    + "ImagePackageSource name a source that keeps old versions"
            );
        }
    }

    private static string? VersionIn(Dictionary<string, byte[]> files, string path) =>
        files.TryGetValue(path, out var text)
        && text.Length < MaxStatus
        && ControlParagraph.ReadAll(Encoding.UTF8.GetString(text)) is [var paragraph, ..]
        && paragraph["Version"] is { Length: > 0 } version
            ? Text.Shortened(Text.Sanitize(version), MaxVersion)
            : null;

    private bool IsOfPackages(string layer) => hasOtherPackages && layer == PackageLayout.LayerName;

    private async Task<Dictionary<string, PlacedFile>> ListAsync(ComparedLayer[] layers, CancellationToken cancellationToken)
    {
        var options = new LayerReaderOptions { Budget = LayerReader.NewBudget() };
        var files = new Dictionary<string, PlacedFile>(StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            foreach (var (path, state) in await layer.ListAsync(store, options, cancellationToken))
                files[path] = new PlacedFile(layer, state);
        }

        return files;
    }

    private static bool IsContent(FileState was, FileState now) =>
        (was.Kind, was.Length, was.LinkTarget, was.Content) != (now.Kind, now.Length, now.LinkTarget, now.Content);

    private void CompareAttributes(string path, PlacedFile was, PlacedFile now)
    {
        if (was.Layer.Name != now.Layer.Name)
        {
            findings.Differ($"layer {was.Layer.Name}", Shown(path), $"is in layer {now.Layer.Name} here");
            findings.Explain(
                CauseKind.Layout,
                $"the same files are divided into other layers: {Shown(path)} is in {was.Layer.Name}, and here in {now.Layer.Name}",
                "Set ImageLayering as its publish did; another version of this package may divide them differently"
            );
        }

        if (was.State == now.State)
            return;
        string[] attributes =
        [
            .. Attribute("time", was.State.Modified.UtcDateTime.ToString("s"), now.State.Modified.UtcDateTime.ToString("s")),
            .. Attribute("mode", Octal(was.State.Mode), Octal(now.State.Mode)),
            .. Attribute("owner", $"{was.State.Uid}:{was.State.Gid}", $"{now.State.Uid}:{now.State.Gid}"),
        ];
        findings.Differ($"layer {was.Layer.Name}", Shown(path), string.Join("; ", attributes));
        findings.Explain(
            CauseKind.FileAttributes,
            $"file {Shown(path)} has the same content and another {attributes[0]}",
            "Publishes of this package set times, modes and owners themselves (ImageFileOwner): another tool wrote it, or it was changed"
        );
    }

    private static IEnumerable<string> Attribute(string name, string was, string now) =>
        was == now ? [] : [$"{name}: {was} in the image, {now} here"];

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8);

    private void ExplainMissing(string path, PlacedFile? was, PlacedFile? now)
    {
        var (file, isExtra) = (Shown(path), was is not null);
        var layer = (was ?? now)!.Layer.Name;
        findings.Differ($"layer {layer}", file, isExtra ? "is only in the image" : "is only here");
        if (IsOfPackages(layer))
            return;
        var verb = isExtra ? "has a file that this build does not make" : "lacks a file that this build makes";
        if (path.EndsWith(".pdb", StringComparison.Ordinal))
            findings.Explain(CauseKind.Options, $"it {verb}: the symbols {file}", "Set ImageSymbols and DebugType as its publish did");
        else if (path.Contains("/runtimes/", StringComparison.Ordinal))
            findings.Explain(
                CauseKind.Options,
                $"it {verb}: {file}, an asset for some platforms",
                "Set ImageKeepOtherPlatforms as its publish did; versions of this package may differ in it"
            );
        else
            findings.Explain(
                CauseKind.File,
                $"it {verb}: {file}",
                isExtra
                    ? "Something added it: another commit, a file that is not committed, or a step after the publish"
                    : MissingAdvice(file)
            );
    }

    private static string MissingAdvice(string file) =>
        $"It is built here of something that its publish did not have: look where {file} comes from";

    private async Task CompareContentsAsync(
        List<string> changed,
        (Dictionary<string, PlacedFile> Old, Dictionary<string, PlacedFile> Now) files,
        (ComparedLayer[] Before, ComparedLayer[] After) layers,
        CancellationToken cancellationToken
    )
    {
        var read = changed.OrderBy(Rank).Take(MaxRead).ToHashSet(StringComparer.Ordinal);
        var named = await ReadAsync(layers.Before, read, cancellationToken);
        var rebuilt = await ReadAsync(layers.After, read, cancellationToken);
        var assemblies = new AssemblyExplainer(plan, findings, named, rebuilt);
        foreach (var path in changed)
        {
            var (was, now) = (files.Old[path], files.Now[path]);
            var place = $"layer {was.Layer.Name}";
            if (named.TryGetValue(path, out var old) && rebuilt.TryGetValue(path, out var own))
                findings.Differ(place, Shown(path), FileEvidence.Describe(old, own));
            else
                findings.Differ(place, Shown(path), Lengths(was.State, now.State));
        }

        foreach (var path in changed.Where(path => !IsOfPackages(files.Old[path].Layer.Name)).OrderBy(Rank))
        {
            if (!named.TryGetValue(path, out var old) || !rebuilt.TryGetValue(path, out var own))
                assemblies.ExplainOther(path);
            else
                assemblies.Explain(path, old, own);
        }
    }

    private async Task<Dictionary<string, byte[]>> ReadAsync(
        ComparedLayer[] layers,
        HashSet<string> paths,
        CancellationToken cancellationToken
    )
    {
        var limit = new MemoryLimit(MaxMemory);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var layer in paths.Count == 0 ? [] : layers)
        {
            foreach (var (path, bytes) in await layer.ReadAsync(store, paths, limit, cancellationToken))
                files[path] = bytes;
        }

        return files;
    }

    private static int Rank(string path) =>
        Array.FindIndex(Telling, ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) is var index and >= 0
            ? index
            : Telling.Length;

    private static string Lengths(FileState was, FileState now) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{was.Kind} of {was.Length:N0} bytes in the image, {now.Kind} of {now.Length:N0} here"
        );

    private static string Shown(string path) => Text.Sanitize(path);
}
