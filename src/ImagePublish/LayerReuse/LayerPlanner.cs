using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>Plans which files go into which layer.</summary>
internal static class LayerPlanner
{
    private const string SymbolsLayer = "symbols";

    /// <summary>Whether owners, added files or the folders above the app's depend on the files of the base image, which have to be read
    /// then.</summary>
    public static bool NeedsBaseFiles(PublishRequest request) =>
        !IsWindows(request)
        && (
            request.FileOwner?.IsNumeric == false
            || AddedEntries.NeedBase(request.Added, request.EntryDefaults.TargetFolder)
            || LayerPath.BaseFoldersOf(request.EntryDefaults.TargetFolder).Any()
        );

    /// <summary>Plans the layers.</summary>
    /// <exception cref="ImagePublishException">A file can't be read, or can't be at its path in the image.</exception>
    public static IReadOnlyList<LayerInput> Plan(PublishRequest request, IReadOnlyList<LayerEntry> published, BaseFileSystem baseFiles)
    {
        var defaults = WithOwner(request, baseFiles);
        IReadOnlyList<LayerEntry> entries =
            defaults == request.EntryDefaults
                ? published
                : [.. published.Select(entry => entry with { Uid = defaults.Uid, Gid = defaults.Gid })];
        var above = AddedEntries.FoldersOfBase(baseFiles, defaults);
        if (above.Count > 0)
            entries = [.. entries.Where(entry => above.TrueForAll(folder => folder.Path != entry.Path)), .. above];
        if (entries.All(entry => entry.Kind == LayerEntryKind.Directory))
            throw new ImagePublishException(
                DiagnosticCodes.PublishFolderEmpty,
                $"The publish folder '{Text.Sanitize(request.PublishFolder)}' is empty. "
                    + "Publish the project first, and see that no later step deletes its files."
            );
        var symbols = request.Selection.Symbols == SymbolPlacement.Layer ? entries.Where(SelectedFiles.IsSymbols).ToHashSet() : [];
        var others = symbols.Count == 0 ? entries : [.. entries.Where(entry => !symbols.Contains(entry))];
        var layers = new AddedEntries(baseFiles, defaults).Plan(others, request.Items, request.Layering, request.Added);
        if (symbols.Count > 0)
            layers = [.. layers, LayerInput.Create(SymbolsLayer, [.. symbols, .. above], defaults)];
        return IsWindows(request) ? [.. layers.Select(WindowsLayer.Create)] : layers;
    }

    private static bool IsWindows(PublishRequest request) => request.Spec.Platform.Os == "windows";

    private static LayerEntryDefaults WithOwner(PublishRequest request, BaseFileSystem baseFiles)
    {
        if (request.FileOwner is not { } owner)
            return request.EntryDefaults;
        var (uid, gid) = owner.Resolve(baseFiles.Accounts, out var unknown)
            ?? throw new ImagePublishException(
                DiagnosticCodes.UnknownOwner,
                $"ImageFileOwner is '{Text.Sanitize(owner.ToString())}', but the base image has no {Text.Sanitize(unknown!)}. "
                    + "Use a number, or a name of its /etc/passwd and /etc/group."
            );
        return request.EntryDefaults with { Uid = uid, Gid = gid };
    }
}
