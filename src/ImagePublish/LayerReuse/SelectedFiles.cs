using ImagePublish.Layers;
using ImagePublish.Requests;

namespace ImagePublish.LayerReuse;

/// <summary>What of the publish folder becomes part of the image.</summary>
/// <param name="OtherPlatformsLength">The bytes of the files that are left out because only other systems can load them.</param>
internal sealed record SelectedFiles(IReadOnlyList<LayerEntry> Entries, long OtherPlatformsLength)
{
    /// <summary>The debug symbols that are attached to the image instead.</summary>
    public IReadOnlyList<LayerEntry> SeparateSymbols { get; init; } = [];

    public static SelectedFiles Select(IReadOnlyList<LayerEntry> published, PublishRequest request)
    {
        var selection = request.Selection;
        var foreign = selection.KeepsOtherPlatforms ? new HashSet<string>() : OtherPlatformAssets.Find(published, request.Spec.Platform);
        var omitted = published
            .Where(entry =>
                entry is { Content: not null, PublishPath: { } path }
                && (
                    foreign.Contains(path)
                    || (selection.Symbols is SymbolPlacement.None or SymbolPlacement.Separate && IsSymbols(entry))
                    || (selection.OmitsDevelopmentSettings && DevelopmentFiles.AreSettings(path))
                )
            )
            .ToHashSet<LayerEntry>(ReferenceEqualityComparer.Instance);
        return omitted.Count == 0
            ? new SelectedFiles(published, 0)
            : new SelectedFiles(
                WithoutEmptied(published, omitted),
                omitted.Where(entry => foreign.Contains(entry.PublishPath!)).Sum(entry => entry.Content!.Length)
            )
            {
                SeparateSymbols =
                    selection.Symbols == SymbolPlacement.Separate
                        ? [.. omitted.Where(entry => !foreign.Contains(entry.PublishPath!) && IsSymbols(entry))]
                        : [],
            };
    }

    /// <summary>Whether a file has debug symbols: portable ones, or those that are cut off native programs.</summary>
    public static bool IsSymbols(LayerEntry entry) =>
        entry is { Content: not null, PublishPath: { } path }
        && !StaticContent.IsAt(path)
        && (path.EndsWith(".pdb", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".dbg", StringComparison.OrdinalIgnoreCase));

    // Folders that had nothing but such files go with them; those that were empty before stay.
    private static List<LayerEntry> WithoutEmptied(IReadOnlyList<LayerEntry> published, HashSet<LayerEntry> omitted)
    {
        var touched = LayerPath.ParentsOf(omitted.Select(entry => entry.Path));
        var kept = published.Where(entry => !omitted.Contains(entry)).ToList();
        bool IsTouched(LayerEntry entry) => entry.Kind == LayerEntryKind.Directory && touched.Contains(entry.Path);
        var filled = LayerPath.ParentsOf(kept.Where(entry => !IsTouched(entry)).Select(entry => entry.Path));
        kept.RemoveAll(entry => IsTouched(entry) && !filled.Contains(entry.Path));
        return kept;
    }
}
