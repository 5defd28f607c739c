using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>A file, directory or link of an image, and where it was found.</summary>
/// <param name="Path">From the folder on that was asked for; empty for the file or folder itself.</param>
/// <param name="Entry">What the image has there: of a hard link, the file that it is a name of.</param>
/// <param name="Layer">The layer that has it, counted from the bottom.</param>
/// <param name="Index">Its position in the layer; -1 for a folder that only paths name.</param>
internal sealed record LocatedEntry(string Path, LayerEntryInfo Entry, int Layer, int Index);

/// <summary>The files of an image as a container sees them, each with the layer that has its content.</summary>
internal sealed class LocatedFiles(IReadOnlyList<LayerListing> layers, ContentBudget budget)
{
    // As many as Linux follows.
    private const int MaxHops = 40;

    private readonly BaseFileSystem files = new(layers, budget);
    private readonly Dictionary<string, int>?[] indexes = new Dictionary<string, int>?[layers.Count];

    /// <summary>Finds what is at a path, and everything below it. A link at the path itself is followed, others stay links.</summary>
    /// <returns>The entry of the path first, the others by their paths; none where there is nothing.</returns>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1016</c>: the path goes through a file or in circles; <c>IMG3005</c>: a
    /// hard link leads nowhere.</exception>
    public IReadOnlyList<LocatedEntry> Find(string path)
    {
        var resolved = files.Resolve(path, followLast: true);
        var top =
            resolved.Length == 0 ? new LayerEntryInfo("", LayerEntryInfoKind.Directory) { Mode = Modes.Executable } : files.Find(resolved);
        if (top is null)
            return [];
        var below = files.Below(resolved).OrderBy(found => found.Path, StringComparer.Ordinal);
        return Locate([("", top), .. below]);
    }

    private List<LocatedEntry> Locate(IReadOnlyList<(string Path, LayerEntryInfo Entry)> found)
    {
        var wanted = found.Select(one => one.Entry).ToHashSet<LayerEntryInfo>(ReferenceEqualityComparer.Instance);
        var places = new Dictionary<LayerEntryInfo, (int Layer, int Index)>(ReferenceEqualityComparer.Instance);
        for (var layer = 0; layer < layers.Count; layer++)
        {
            for (var index = 0; index < layers[layer].Entries.Count; index++)
            {
                if (wanted.Contains(layers[layer].Entries[index]))
                    places[layers[layer].Entries[index]] = (layer, index);
            }
        }

        return
        [
            .. found.Select(one =>
                places.TryGetValue(one.Entry, out var place)
                    ? FollowHardLinks(one.Path, place.Layer, place.Index)
                    : new LocatedEntry(one.Path, one.Entry, -1, -1)
            ),
        ];
    }

    // A hard link names a file that its layer, or one below, has before it: what later layers have put there is another file.
    private LocatedEntry FollowHardLinks(string path, int layer, int index)
    {
        for (var hops = 0; hops < MaxHops; hops++)
        {
            var entry = layers[layer].Entries[index];
            if (entry.Kind != LayerEntryInfoKind.HardLink)
                return new LocatedEntry(path, entry, layer, index);
            if (FindBelow(entry.LinkTarget!, layer) is not var (found, position) || (found, position) == (layer, index))
                throw LayerReader.Invalid(
                    $"its hard link '{Text.Sanitize(entry.Path)}' names '{Text.Sanitize(entry.LinkTarget!)}', which it lacks"
                );
            (layer, index) = (found, position);
        }

        throw LayerReader.Invalid("its hard links go in circles");
    }

    private (int Layer, int Index)? FindBelow(string path, int layer)
    {
        for (; layer >= 0; layer--)
        {
            if (IndexOf(layer).TryGetValue(path, out var index))
                return (layer, index);
        }

        return null;
    }

    private Dictionary<string, int> IndexOf(int layer)
    {
        if (indexes[layer] is { } known)
            return known;
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var at = 0; at < layers[layer].Entries.Count; at++)
            index[layers[layer].Entries[at].Path] = at;
        return indexes[layer] = index;
    }
}
