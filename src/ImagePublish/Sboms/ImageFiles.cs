using ImagePublish.Layers;

namespace ImagePublish.Sboms;

/// <summary>A file of an image, as the topmost layer that has it made it.</summary>
/// <param name="Layer">The number of that layer, from the bottom up.</param>
internal sealed record ImageFile(string Path, FileHashes Hashes, int Layer, string? Package);

/// <summary>The files that a container of an image sees: without what a layer above replaces or removes, and without links.</summary>
internal sealed class ImageFiles
{
    private const int MaxHops = 8;

    private ImageFiles(BaseFileSystem system, IReadOnlyList<ImageFile> files) => (System, Files) = (system, files);

    public BaseFileSystem System { get; }

    /// <summary>The files, by their paths.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <param name="layers">The layers' lists with hashes, from the bottom up.</param>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG3005</c>: their paths name too many folders.</exception>
    public static ImageFiles Create(IReadOnlyList<LayerListing> layers)
    {
        var system = new BaseFileSystem(layers);
        var layerOf = new Dictionary<LayerEntryInfo, int>(ReferenceEqualityComparer.Instance);
        for (var index = 0; index < layers.Count; index++)
        {
            foreach (var entry in layers[index].Entries)
                layerOf[entry] = index;
        }

        var byPath = layers
            .Select(layer => new Lazy<ILookup<string, LayerEntryInfo>>(() =>
                layer.Entries.ToLookup(entry => entry.Path, StringComparer.Ordinal)
            ))
            .ToList();
        var files = new List<ImageFile>();
        foreach (var entry in system.All())
        {
            if (layerOf.TryGetValue(entry, out var layer) && HashesOf(entry, byPath[layer], system) is { } hashes)
                files.Add(new ImageFile(entry.Path, hashes, layer, entry.Package));
        }

        return new ImageFiles(system, [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)]);
    }

    // A hard link is one more name of a file of the same layer, which may be covered by now, or of one below.
    private static FileHashes? HashesOf(LayerEntryInfo entry, Lazy<ILookup<string, LayerEntryInfo>> layer, BaseFileSystem system)
    {
        for (var hops = 0; hops < MaxHops; hops++)
        {
            if (entry.Kind != LayerEntryInfoKind.HardLink)
                return entry.Kind == LayerEntryInfoKind.File ? entry.Hashes : null;
            var target = entry.LinkTarget!;
            if ((layer.Value[target].LastOrDefault() ?? system.Find(target)) is not { } next || next == entry)
                return null;
            entry = next;
        }

        return null;
    }
}
