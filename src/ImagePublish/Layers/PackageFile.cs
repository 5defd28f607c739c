namespace ImagePublish.Layers;

/// <summary>A file of a package that will be published, where it lies before it is.</summary>
/// <param name="Item">What the build says of it; its path is the one in the publish folder.</param>
/// <param name="File">Its full path among the packages of this machine.</param>
public sealed record PackageFile(PublishItem Item, string File)
{
    /// <summary>The layers that large packages become, whatever else is published with them: the same, byte for byte, as <see cref="LayerPlan"/> makes of the publish folder.</summary>
    /// <param name="files">The files of packages.</param>
    /// <param name="defaults">Where they go in the image, and whose they are.</param>
    /// <returns>The layers, each of one package.</returns>
    /// <exception cref="Diagnostics.ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public static IReadOnlyList<LayerContent> LargeLayers(IReadOnlyCollection<PackageFile> files, LayerEntryDefaults defaults)
    {
        var entries = new Dictionary<string, LayerEntry>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var entry = EntryOf(file, defaults);
            entries.TryAdd(entry.Path, entry);
        }

        var folders = entries.Keys.SelectMany(LayerPath.ParentsOf).Where(path => !LayerPath.IsOwnedByBase(path)).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. LayerPlan.Create([.. entries.Values, .. folders.Select(path => Owned(path, LayerEntryKind.Directory, defaults))], [.. files.Select(file => file.Item)], LayeringMode.Auto)
                .Where(layer => LayerPlan.IsOfOnePackage(layer)),
        ];
    }

    private static LayerEntry EntryOf(PackageFile file, LayerEntryDefaults defaults)
    {
        var path = file.Item.RelativePath.Replace('\\', '/');
        var info = new FileInfo(file.File);
        return Owned(LayerPath.Join(defaults.TargetFolder, path), LayerEntryKind.File, defaults) with
        {
            Mode = DiskFiles.Guarded(file.File, () => Modes.Of(info, ExecutableRule.Content)),
            Content = new FileOnDisk(file.File, DiskFiles.Guarded(file.File, () => info.Length)),
            PublishPath = path,
        };
    }

    private static LayerEntry Owned(string path, LayerEntryKind kind, LayerEntryDefaults defaults) =>
        new(path, kind) { Uid = defaults.Uid, Gid = defaults.Gid, Modified = defaults.Modified };
}
