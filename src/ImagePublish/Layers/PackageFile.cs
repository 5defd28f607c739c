namespace ImagePublish.Layers;

internal sealed record PackageFile(PublishItem Item, string File)
{
    /// <summary>The layers that released packages become, whatever else is published with them: the same, byte for byte, as
    /// <see cref="LayerLayout"/> makes of the publish folder.</summary>
    /// <exception cref="Diagnostics.ImagePublishException">A file can't be read, or can't be in a layer.</exception>
    public static IReadOnlyList<LayerInput> LayersOf(IReadOnlyCollection<PackageFile> files, LayerEntryDefaults defaults)
    {
        var entries = new Dictionary<string, LayerEntry>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var entry = EntryOf(file, defaults);
            entries.TryAdd(entry.Path, entry);
        }

        var folders = LayerPath.ParentsOf(entries.Keys).Where(path => !LayerPath.IsOwnedByBase(path));
        return
        [
            .. LayerLayout
                .Create(
                    [.. entries.Values, .. folders.Select(path => Owned(path, LayerEntryKind.Directory, defaults))],
                    [.. files.Select(file => file.Item)],
                    LayeringMode.Auto
                )
                .Where(layer => LayerLayout.IsOfPackages(layer)),
        ];
    }

    private static LayerEntry EntryOf(PackageFile file, LayerEntryDefaults defaults)
    {
        var path = file.Item.RelativePath.Replace('\\', '/');
        var info = new FileInfo(file.File);
        return Owned(LayerPath.Join(defaults.TargetFolder, path), LayerEntryKind.File, defaults) with
        {
            Mode = DiskFiles.Guarded(file.File, () => Modes.GetMode(info, ExecutableRule.Content)),
            Content = new FileOnDisk(file.File, DiskFiles.Guarded(file.File, () => info.Length)),
            PublishPath = path,
        };
    }

    private static LayerEntry Owned(string path, LayerEntryKind kind, LayerEntryDefaults defaults) =>
        new(path, kind)
        {
            Uid = defaults.Uid,
            Gid = defaults.Gid,
            Modified = defaults.Modified,
        };
}
