using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Rebasing;

/// <summary>One platform of an image, its base, and the one to put in its place.</summary>
internal sealed record RebasePair(ReadImage Image, ImageDocuments Documents, Image Before, BaseImage Old, BaseImage New)
{
    public Reference Name => Image.Reference;

    /// <summary>What the history says that the image's own layers hold.</summary>
    public IReadOnlyList<string?> OwnNames { get; } = [.. ImageComposer.LayerNames(Before.Config).Skip(Old.Layers.Count)];

    public IEnumerable<Layer> OwnLayers => Before.Layers.Skip(Old.Layers.Count);
}

/// <summary>
/// When an image may be put on another base: only where the result is what a publish on that base would be, and runs as it did. The
/// documents decide first; then the files of the two bases, which are read once per machine; and those of the app where nothing else can.
/// </summary>
internal sealed class RebaseConditions(BaseFactsReader reader, AppNeeds needs)
{
    private const string Packages = "os packages";
    private const string Runtime = "runtime";

    /// <summary>Checks what the documents show.</summary>
    /// <returns>The settings of the publish, which make the image again.</returns>
    /// <exception cref="ImagePublishException"><c>IMG4022</c>: a publish would not make it so.</exception>
    public static ImageSpec CheckDocuments(RebasePair pair)
    {
        var (before, old) = (pair.Before, pair.Old);
        if (before.Platform.Os != "linux")
            throw Refuse(pair, $"it is for {before.Platform}, and only images for Linux are rebased");
        if (
            before.Layers.Count <= old.Layers.Count
            || !old.Layers.Zip(before.Layers).All(pairs => pairs.First.Descriptor.Digest == pairs.Second.Descriptor.Digest)
            || !old.Config.RootFs.DiffIds.SequenceEqual(before.Config.RootFs.DiffIds.Take(old.Layers.Count))
        )
            throw Refuse(
                pair,
                $"its lower layers are not those of '{old.Name}' as {old.Digest}, which it names as its base: it was squashed, or its "
                    + "labels are another image's"
            );
        CheckOwnLayers(pair);
        var spec = RecoveredSpec.TryRead(before, pair.Documents.Manifest, old);
        if (spec is null || Compose(pair, spec, old).Digest != before.Digest)
            throw Refuse(pair, "a publish on its base would not make it as it is: another tool made or changed it");
        return spec.Format is null && old.Format != pair.New.Format
            ? throw Refuse(pair, $"the media types of '{pair.New.Name}' are now those of {pair.New.Format}, and were those of {old.Format}")
            : spec;
    }

    /// <summary>Composes the image on one of its bases.</summary>
    public static Image Compose(RebasePair pair, ImageSpec spec, BaseImage on) =>
        ImageComposer.Recompose(
            pair.Before.Config,
            spec,
            on,
            [.. pair.OwnLayers.Zip(pair.OwnNames, (layer, name) => new NamedLayer(name!, layer))]
        );

    /// <summary>Checks what the files show.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4022</c>: the app would not run as it did, or its layers would be others.</exception>
    public async Task<RebasedBase> CheckFilesAsync(RebasePair pair, CancellationToken cancellationToken)
    {
        // One after the other: the layers that both have are read once.
        var old = await reader.ReadAsync(pair.Old, cancellationToken);
        var newer = await reader.ReadAsync(pair.New, cancellationToken);
        if (old.System != newer.System || old.Release != newer.Release)
            throw Refuse(
                pair,
                $"the new base has another operating system: {Text.Sanitize($"{newer.System} {newer.Release}")} instead of "
                    + Text.Sanitize($"{old.System} {old.Release}")
            );
        CheckRuntime(pair, old, newer);
        await CheckStartAsync(pair, cancellationToken);
        await CheckPlacesAsync(pair, old.Files, newer.Files, cancellationToken);
        if (await needs.FindLackingAsync(pair.Before, old, newer, cancellationToken) is [var first, ..])
            throw Refuse(pair, $"the new base lacks what the app needs. {first.TrimEnd('.')}");
        return new RebasedBase(pair.Old, pair.New, old.Runtime, newer.Runtime);
    }

    private static void CheckRuntime(RebasePair pair, BaseFacts old, BaseFacts newer)
    {
        if (BaseFacts.MajorMinorOf(old.Runtime) is not { } version)
            throw Refuse(pair, $"it brings its own .NET, which '{pair.Old.Name}' does not have: fixes of .NET take a build");
        if (BaseFacts.MajorMinorOf(newer.Runtime) != version)
            throw Refuse(pair, $"the new base has .NET {Refusal.Shown(newer.Runtime)}, and the old one has {Refusal.Shown(old.Runtime)}");
        foreach (var (name, had) in old.Frameworks)
        {
            var has = newer.Frameworks.GetValueOrDefault(name);
            if (BaseFacts.MajorMinorOf(has) != BaseFacts.MajorMinorOf(had))
                throw Refuse(
                    pair,
                    $"the new base has {Refusal.Shown(has)} of {Text.Sanitize(name)}, and the old one has {Refusal.Shown(had)}"
                );
        }
    }

    private static void CheckOwnLayers(RebasePair pair)
    {
        if (ImageComposer.TakenLayers(pair.Before.Config) is [var taken, ..])
            throw Refuse(pair, $"it has layers of another image, '{Text.Sanitize(taken.Image)}'");
        if (pair.OwnNames.Contains(null))
            throw Refuse(pair, "above its base it has a layer that no publish of this package made");
        if (pair.OwnNames.Contains(Packages))
            throw Refuse(pair, "it has operating system packages, which are chosen for the base that they are put on");
        if (pair.OwnNames.Contains(Runtime))
            throw Refuse(pair, "it is self-contained: fixes of .NET take a build");
    }

    // A program of the app's own may have .NET inside.
    private async Task CheckStartAsync(RebasePair pair, CancellationToken cancellationToken)
    {
        string[] command = [.. pair.Before.Config.Config?.Entrypoint ?? [], .. pair.Before.Config.Config?.Cmd ?? []];
        if (command is ["dotnet" or "/usr/bin/dotnet", ..])
            return;
        var hasSettings = false;
        foreach (var layer in pair.OwnLayers)
        {
            foreach (var entry in (await reader.ListAsync(layer, cancellationToken)).Entries)
            {
                hasSettings |= entry.Path.EndsWith(".runtimeconfig.json", StringComparison.Ordinal);
                if (LayerPath.NameOf(entry.Path) is "System.Private.CoreLib.dll" or "libcoreclr.so")
                    throw Refuse(pair, "it is self-contained: fixes of .NET take a build");
            }
        }

        if (!hasSettings)
            throw Refuse(
                pair,
                $"it starts {Refusal.Shown(command.FirstOrDefault())}, in which its own .NET may be: fixes of that take a build"
            );
    }

    // Owners by name, and files outside of the app's folder, are placed by what the base has.
    private async Task CheckPlacesAsync(RebasePair pair, BaseFileSystem old, BaseFileSystem newer, CancellationToken cancellationToken)
    {
        if (MovedAccount(old, newer) is { } account)
            throw Refuse(pair, $"the user or group {Refusal.Shown(account)} has another number in the new base, or is gone");
        if (LayerPath.BaseFoldersOf(AppFolderOf(pair)).FirstOrDefault(path => !IsSame(path)) is { } above)
            throw Refuse(
                pair,
                $"its layers have '/{Text.Sanitize(above)}' as the old base has it, and in the new base it is something else or has other "
                    + "attributes"
            );
        // The content of the app's own folder is the same on every base.
        var placed = pair.OwnLayers.Zip(pair.OwnNames).Where(layer => !LayerLayout.IsOfApp(layer.Second!));
        foreach (var (layer, _) in placed)
        {
            foreach (var entry in (await reader.ListAsync(layer, cancellationToken)).Entries)
            {
                if (LayerPath.ParentsOf(entry.Path).Append(entry.Path).FirstOrDefault(path => !IsSame(path)) is { } differing)
                    throw Refuse(
                        pair,
                        $"it puts '/{Text.Sanitize(entry.Path)}' where the new base has something else than the old one had: "
                            + $"'/{Text.Sanitize(differing)}'"
                    );
            }
        }

        bool IsSame(string path) => PlaceOf(old, path) == PlaceOf(newer, path);
    }

    private static string AppFolderOf(RebasePair pair) => (pair.Before.Config.Config?.WorkingDir ?? "").Trim('/');

    // Of a file only that there is one: what is put over it is the same.
    private static (LayerEntryInfoKind, UnixFileMode, int, int, string?)? PlaceOf(BaseFileSystem files, string path) =>
        files.Find(path) switch
        {
            null => null,
            { Kind: LayerEntryInfoKind.Directory } folder => (folder.Kind, folder.Mode, folder.Uid, folder.Gid, null),
            { Kind: LayerEntryInfoKind.SymbolicLink } link => (link.Kind, default, 0, 0, link.LinkTarget),
            _ => (LayerEntryInfoKind.File, default, 0, 0, null),
        };

    private static string? MovedAccount(BaseFileSystem old, BaseFileSystem newer)
    {
        foreach (var path in new[] { BaseFileSystem.PasswdPath, BaseFileSystem.GroupPath })
        {
            var now = AccountsOf(newer.TextOf(path));
            if (AccountsOf(old.TextOf(path)).FirstOrDefault(one => now.GetValueOrDefault(one.Key) != one.Value).Key is { } moved)
                return moved;
        }

        return null;
    }

    // Name, password, numbers: of a user also its group's.
    private static Dictionary<string, string> AccountsOf(string text) =>
        text.Split('\n')
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length >= 4)
            .DistinctBy(fields => fields[0])
            .ToDictionary(fields => fields[0], fields => fields.Length > 4 ? $"{fields[2]}:{fields[3]}" : fields[2]);

    private static ImagePublishException Refuse(RebasePair pair, string reason) => Refusal.Of(pair.Name, reason);
}
