using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>Puts what the user adds to an image among the publish output and on top of the base.</summary>
internal sealed class AddedEntries(BaseFileSystem baseFiles, LayerEntryDefaults defaults)
{
    public const string DefaultLayer = "files";

    private sealed record Placed(AddedEntry Added, LayerEntry Entry);

    /// <summary>Whether the base's files must be known: something is outside the app's folder, or an owner has a name.</summary>
    public static bool NeedBase(IReadOnlyList<AddedEntry> added, string folder) =>
        added.Any(entry => !IsInside(entry.Path, folder) || entry.Owner?.IsNumeric == false);

    /// <returns>The layers of <see cref="LayerLayout"/>; added layers are below the app's, with one for each name that the user gives, in
    /// the order of their names' first use.</returns>
    /// <exception cref="ImagePublishException"><c>IMG1016</c>, <c>IMG1017</c>: something can't be put there, or an owner is
    /// unknown.</exception>
    public IReadOnlyList<LayerInput> Plan(
        IReadOnlyList<LayerEntry> published,
        IReadOnlyCollection<PublishItem> items,
        LayeringMode mode,
        IReadOnlyList<AddedEntry> added
    )
    {
        if (added.Count == 0)
            return LayerLayout.Create(published, items, mode);

        var placed = WithoutKnownFolders(added.Where(one => !one.IsOnTop).Select(Place).OfType<Placed>(), published);
        LayerEntry[] below = [.. published, .. placed.Select(one => one.Entry)];
        var onTop = WithoutKnownFolders(added.Where(one => one.IsOnTop).Select(Place).OfType<Placed>(), below);
        CheckUnique(published, [.. placed, .. onTop]);
        var layers = Plan(published, items, mode, placed);
        var directories = DirectoriesOf([.. placed, .. onTop]);
        return [.. layers, .. onTop.GroupBy(LayerOf).Select(group => CreateTop(group, published, directories))];
    }

    private LayerInput CreateTop(
        IGrouping<string, Placed> group,
        IReadOnlyList<LayerEntry> published,
        Dictionary<string, LayerEntry> directories
    )
    {
        var entries = WithParents(WithHardLinks(group), published, directories);
        entries.AddRange(MissingInBase(entries));
        return CreateLayer(group, entries) with { IsOnTop = true };
    }

    private List<LayerInput> Plan(
        IReadOnlyList<LayerEntry> published,
        IReadOnlyCollection<PublishItem> items,
        LayeringMode mode,
        IReadOnlyList<Placed> placed
    )
    {
        var directories = DirectoriesOf(placed);
        var withOwn = published
            .Select(entry => directories.GetValueOrDefault(entry.Path) is { } own ? own with { PublishPath = entry.PublishPath } : entry)
            .ToList();
        var known = withOwn.Select(entry => entry.Path).ToHashSet(StringComparer.Ordinal);
        var plan = placed.Where(one => !known.Contains(one.Entry.Path)).ToLookup(LayerOf);
        var layers = LayerLayout.Create([.. withOwn, .. WithParents(plan[""], withOwn, directories)], items, mode).ToList();
        var ownLayers = plan.Where(group => group.Key.Length > 0)
            .Select(group => CreateLayer(group, WithParents(WithHardLinks(group), withOwn, directories)));
        layers.InsertRange(Math.Max(layers.Count - 1, 0), ownLayers);
        return layers;
    }

    private LayerInput CreateLayer(IGrouping<string, Placed> group, List<LayerEntry> entries) =>
        LayerInput.Create(group.Key, [.. entries, .. PeculiarInBase(entries)], Root, BaseDirectories(group));

    private static Dictionary<string, LayerEntry> DirectoriesOf(IEnumerable<Placed> placed) =>
        placed
            .Where(one => one.Entry.Kind == LayerEntryKind.Directory)
            .Select(one => one.Entry)
            .ToDictionary(entry => entry.Path, StringComparer.Ordinal);

    private static LayerEntryDefaults Root { get; } = new() { TargetFolder = "" };

    private static bool IsInside(string path, string folder) =>
        folder.Length == 0 || path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    private static ImagePublishException Refused(AddedEntry added, string why) =>
        new(DiagnosticCodes.InvalidTarget, $"{added.Item} can't be put at '/{Text.Sanitize(added.Path)}': {why}.") { Item = added.Item };

    private string LayerOf(Placed one) =>
        one.Added.Layer is not { } name ? (IsInside(one.Entry.Path, defaults.TargetFolder) ? "" : DefaultLayer)
        : LayerLayout.IsOfApp(name) ? $"{DefaultLayer} {name}"
        : name;

    // A folder that is there already keeps its attributes, whichever image else has one of its name.
    private static List<Placed> WithoutKnownFolders(IEnumerable<Placed> placed, IReadOnlyList<LayerEntry> published)
    {
        var all = placed.ToList();
        var folders = published
            .Where(entry => entry.Kind == LayerEntryKind.Directory)
            .Select(entry => entry.Path)
            .Concat(all.Where(one => !IsFolderOfImage(one) && one.Entry.Kind == LayerEntryKind.Directory).Select(one => one.Entry.Path))
            .ToHashSet(StringComparer.Ordinal);
        return [.. all.Where(one => !IsFolderOfImage(one) || folders.Add(one.Entry.Path))];
    }

    private static bool IsFolderOfImage(Placed one) => one.Added is CopiedEntry { Kind: LayerEntryKind.Directory };

    // Names of one file in the other image are names of one file here.
    private static IEnumerable<Placed> WithHardLinks(IEnumerable<Placed> group)
    {
        var first = new Dictionary<(ItemSource, Oci.Digest, int), string>();
        foreach (var one in group.OrderBy(one => one.Entry.Path, StringComparer.Ordinal))
        {
            if (one.Entry.Content is FileInLayer file && !first.TryAdd((one.Added.Item, file.Layer, file.Index), one.Entry.Path))
            {
                var target = first[(one.Added.Item, file.Layer, file.Index)];
                yield return one with
                {
                    Entry = one.Entry with { Kind = LayerEntryKind.HardLink, Content = null, LinkTarget = target },
                };
            }
            else
            {
                yield return one;
            }
        }
    }

    // A directory that says nothing of its attributes and is in the base is there already.
    private Placed? Place(AddedEntry added)
    {
        var path = ResolvedPath(added);
        var existing = baseFiles.Find(path);
        CheckOver(added, existing);
        if (added.Kind == LayerEntryKind.Directory && existing is not null && added is { Mode: null, Owner: null } or CopiedEntry)
            return null;
        var (uid, gid) = OwnerOf(added, path, existing);
        var entry = new LayerEntry(path, added.Kind)
        {
            Uid = uid,
            Gid = gid,
            Modified = defaults.Modified,
            LinkTarget = added.LinkTarget,
        };
        if (added.SourceFile is { } source)
        {
            var file = new FileInfo(source);
            var onDisk = new FileOnDisk(source, DiskFiles.Guarded(source, () => file.Length));
            entry = AsPublished(
                entry with
                {
                    Content = onDisk,
                    Mode = DiskFiles.Guarded(source, () =>
                        Modes.GetMode(file, added.IsFromPackage ? ExecutableRule.Content : defaults.Executables)
                    ),
                }
            );
        }
        else if (OtherContent(added) is { } content)
        {
            entry = WithTime(entry with { Content = content });
        }
        else if (existing?.Kind == LayerEntryInfoKind.Directory)
        {
            entry = entry with { Mode = existing.Mode };
        }

        return new Placed(added, added.Mode is { } mode && added.Kind != LayerEntryKind.SymbolicLink ? entry with { Mode = mode } : entry);
    }

    private static FileContent? OtherContent(AddedEntry added) =>
        added.BuiltIn is { } name ? FileInMemory.BuiltIn(name) : (added as CopiedEntry)?.Content;

    // In the app's folder it is as if it had been published.
    private LayerEntry AsPublished(LayerEntry entry)
    {
        if (!IsInside(entry.Path, defaults.TargetFolder))
            return entry;
        return WithTime(entry) with { PublishPath = PathInFolder(entry) };
    }

    private LayerEntry WithTime(LayerEntry entry) =>
        IsInside(entry.Path, defaults.TargetFolder) && StaticContent.IsAt(PathInFolder(entry))
            ? entry with
            {
                Modified = StaticContent.TimeOf(entry.Content!),
            }
            : entry;

    private string PathInFolder(LayerEntry entry) =>
        defaults.TargetFolder.Length == 0 ? entry.Path
        : entry.Path == defaults.TargetFolder ? ""
        : entry.Path[(defaults.TargetFolder.Length + 1)..];

    private string ResolvedPath(AddedEntry added)
    {
        try
        {
            LayerPath.Check(added.Path);
            return baseFiles.Resolve(added.Path, followLast: added.Kind == LayerEntryKind.Directory);
        }
        catch (ImagePublishException exception)
        {
            throw exception.Code == DiagnosticCodes.InvalidTarget
                ? Refused(added, exception.Message)
                : new ImagePublishException(
                    DiagnosticCodes.InvalidTarget,
                    $"{added.Item} can't be put into the image: {exception.Message}",
                    exception
                )
                {
                    Item = added.Item,
                };
        }
    }

    private static void CheckOver(AddedEntry added, LayerEntryInfo? existing)
    {
        switch (added.Kind, existing?.Kind)
        {
            case (LayerEntryKind.File, LayerEntryInfoKind.SymbolicLink):
                throw Refused(
                    added,
                    $"the base image has a link to '{Text.Sanitize(existing!.LinkTarget!)}' there, which a file would "
                        + "destroy. Put it where the link leads, or replace the link by an ImageSymlink"
                );
            case (LayerEntryKind.File or LayerEntryKind.SymbolicLink, LayerEntryInfoKind.Directory):
                throw Refused(added, "the base image has a directory there");
            case (LayerEntryKind.Directory, not (null or LayerEntryInfoKind.Directory)):
                throw Refused(added, "the base image has a file there");
        }
    }

    private (int Uid, int Gid) OwnerOf(AddedEntry added, string path, LayerEntryInfo? existing)
    {
        if (added.Owner is not { } owner)
        {
            return existing?.Kind == LayerEntryInfoKind.Directory ? (existing.Uid, existing.Gid)
                : IsInside(path, defaults.TargetFolder) && added.Kind != LayerEntryKind.SymbolicLink ? (defaults.Uid, defaults.Gid)
                : (0, 0);
        }

        return owner.Resolve(baseFiles.Accounts, out var unknown)
            ?? throw new ImagePublishException(
                DiagnosticCodes.UnknownOwner,
                $"{added.Item} has the Owner '{Text.Sanitize(owner.ToString())}', but the base image has no "
                    + $"{Text.Sanitize(unknown!)}. Use a number, or a name of its /etc/passwd and /etc/group."
            )
            {
                Item = added.Item,
            };
    }

    private static void CheckUnique(IReadOnlyList<LayerEntry> published, List<Placed> placed)
    {
        var taken = published
            .Where(entry => entry.Kind != LayerEntryKind.Directory)
            .ToDictionary(entry => entry.Path, _ => "the publish output", StringComparer.Ordinal);
        var folders = published
            .Where(entry => entry.Kind == LayerEntryKind.Directory)
            .Select(entry => entry.Path)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (added, entry) in placed)
        {
            if (taken.TryGetValue(entry.Path, out var first))
                throw Refused(added, $"{first} puts something there, too. Leave one of them out");
            if (entry.Kind != LayerEntryKind.Directory && folders.Contains(entry.Path))
                throw Refused(added, "the publish output has a directory there");
            taken.Add(entry.Path, added.Item.ToString());
        }

        var kinds = placed
            .Where(one => one.Entry.Kind == LayerEntryKind.Directory)
            .Select(one => one.Entry.Path)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (added, entry) in placed)
        {
            if (
                LayerPath.ParentsOf(entry.Path).FirstOrDefault(parent => taken.ContainsKey(parent) && !kinds.Contains(parent)) is { } parent
            )
                throw Refused(added, $"{taken[parent]} makes '/{Text.Sanitize(parent)}' a file or link, so nothing can be below it");
        }
    }

    // A layer brings along the directories of its files with the attributes that they have anywhere, so that it does not matter which layer
    // comes last.
    private static List<LayerEntry> WithParents(
        IEnumerable<Placed> group,
        IReadOnlyList<LayerEntry> published,
        Dictionary<string, LayerEntry> directories
    )
    {
        var entries = group.Select(one => one.Entry).ToList();
        var appFolders = published
            .Where(entry => entry.Kind == LayerEntryKind.Directory)
            .ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        foreach (var parent in FoldersAbove(entries))
        {
            if ((directories.GetValueOrDefault(parent) ?? appFolders.GetValueOrDefault(parent)) is { } directory)
                entries.Add(directory);
        }

        return entries;
    }

    // Those without an entry.
    private static List<string> FoldersAbove(List<LayerEntry> entries)
    {
        var known = entries.Select(entry => entry.Path).ToHashSet(StringComparer.Ordinal);
        return [.. entries.SelectMany(entry => LayerPath.ParentsOf(entry.Path)).Where(known.Add)];
    }

    // Folders that usual bases have and this one lacks, as one without a shell may: without an entry they would have the attributes that an
    // engine chooses. Docker's are closed to everybody but root.
    private List<LayerEntry> MissingInBase(List<LayerEntry> entries)
    {
        if (ReferenceEquals(baseFiles, BaseFileSystem.Empty))
            return [];
        return FoldersAbove(entries)
            .Where(parent => LayerPath.IsOwnedByBase(parent) && baseFiles.Find(parent) is null)
            .Select(parent => new LayerEntry(parent, LayerEntryKind.Directory) { Mode = LayerPath.UsualModeOf(parent) })
            .ToList();
    }

    // Docker's overlay2 makes the folders that a layer does not have root's and open to be read, and those hide the base's: /tmp could be
    // written to by root alone. Folders that are so anyway need no entry.
    private IEnumerable<LayerEntry> PeculiarInBase(List<LayerEntry> entries) =>
        FoldersAbove(entries)
            .Select(baseFiles.Find)
            .OfType<LayerEntryInfo>()
            .Where(folder => folder.Kind == LayerEntryInfoKind.Directory && !HasUsualAttributes(folder))
            .Select(folder => AsInBase(folder, defaults));

    /// <summary>The app's folder and those above it that the base has, where their attributes may be peculiar. An owner of the app's files
    /// also has the app's folder.</summary>
    public static List<LayerEntry> FoldersOfBase(BaseFileSystem baseFiles, LayerEntryDefaults defaults) =>
        [
            .. LayerPath
                .BaseFoldersOf(defaults.TargetFolder)
                .Where(path => path != defaults.TargetFolder || defaults is { Uid: 0, Gid: 0 })
                .Select(baseFiles.Find)
                .OfType<LayerEntryInfo>()
                .Where(folder => folder.Kind == LayerEntryInfoKind.Directory)
                .Select(folder => AsInBase(folder, defaults)),
        ];

    private static LayerEntry AsInBase(LayerEntryInfo folder, LayerEntryDefaults defaults) =>
        new(folder.Path, LayerEntryKind.Directory)
        {
            Mode = folder.Mode,
            Uid = folder.Uid,
            Gid = folder.Gid,
            Modified = defaults.Modified,
        };

    private static bool HasUsualAttributes(LayerEntryInfo folder) =>
        folder is { Uid: 0, Gid: 0 } && folder.Mode == LayerEntryDefaults.ModeOf(LayerEntryKind.Directory);

    private HashSet<string> BaseDirectories(IEnumerable<Placed> group) =>
        [
            .. group
                .SelectMany(one => LayerPath.ParentsOf(one.Entry.Path))
                .Where(parent => baseFiles.Find(parent)?.Kind == LayerEntryInfoKind.Directory),
        ];
}

/// <summary>A file, directory or link that the user puts into the image besides the publish output.</summary>
internal record AddedEntry(ItemSource Item, LayerEntryKind Kind, string Path)
{
    /// <summary>Permissions; null for those of its kind, or those that the base's directory has.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Whose it is; null for the app's owner in the working directory and root elsewhere, or whose the base's directory
    /// is.</summary>
    public FileOwner? Owner { get; init; }

    /// <summary>The layer of its own that it goes to, by name; null for the usual one.</summary>
    public string? Layer { get; init; }

    /// <summary>Whether that layer is above the app's: what a variant adds leaves the layers of the image as they are.</summary>
    public bool IsOnTop { get; init; }

    /// <summary>The file on the build machine; null for everything else.</summary>
    public string? SourceFile { get; init; }

    /// <summary>The name of a file that comes with this package; null for everything else.</summary>
    public string? BuiltIn { get; init; }

    /// <summary>Whether that file is of a NuGet package, whose execute bits mean nothing.</summary>
    public bool IsFromPackage { get; init; }

    /// <summary>What a link points at; null for everything else.</summary>
    public string? LinkTarget { get; init; }
}

/// <summary>A file, directory or link of another image.</summary>
internal sealed record CopiedEntry(ItemSource Item, LayerEntryKind Kind, string Path) : AddedEntry(Item, Kind, Path)
{
    public FileInLayer? Content { get; init; }
}
