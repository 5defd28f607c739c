namespace ImagePublish.Layers;

/// <summary>Decides which file is in which layer, so that a change of one file replaces few others.</summary>
/// <remarks>
/// A layer depends on nothing but its own files: two services with the same packages in the same target folder get the same package layer,
/// byte for byte.
/// </remarks>
internal static class LayerLayout
{
    private const int Runtime = 0;
    private const int Packages = 2;
    private const int Content = 3;
    private const int Projects = 4;
    private const int Static = 5;
    private const int App = 6;

    /// <summary>Smaller files at the top of the publish folder are configuration, which changes as often as the code.</summary>
    private const long MinContentLength = 1 << 20;

    /// <summary>Whether a layer is of released packages, and so the same whatever else is published.</summary>
    internal static bool IsOfPackages(LayerInput layer) =>
        layer.Name == Names[Packages] || layer.Name.StartsWith(Names[Packages - 1] + " ", StringComparison.Ordinal);

    /// <summary>Whether a layer of this name is one of the app's own folder, which no other layer may be mistaken for.</summary>
    internal static bool IsOfApp(string name) => Names.Contains(name.Split(' ')[0]);

    // Large packages are below all other packages, so that an update of the others does not change their layers.
    private static readonly string[] Names = ["runtime", "package", "packages", "content", "projects", "static", "app"];

    /// <summary>Divides the publish output into layers.</summary>
    /// <returns>The layers, the lowest first: the runtime pack; each large package; the other released packages; files that projects only
    /// copy, in folders or large; prerelease packages and referenced projects; static web content and satellites; the app. None is empty,
    /// unless there is nothing at all.</returns>
    public static IReadOnlyList<LayerInput> Create(
        IReadOnlyList<LayerEntry> entries,
        IReadOnlyCollection<PublishItem> items,
        LayeringMode mode
    )
    {
        if (mode == LayeringMode.Single)
            return [LayerInput.Create(Names[App], WithTimes(entries, ByPath(items)))];

        var known = ByPath(items);
        var large = new LargePackages(PackageFilesIn(entries, known));
        var directories = entries.Where(entry => entry.Kind == LayerEntryKind.Directory).ToList();
        var filled = LayerPath.ParentsOf(entries.Select(entry => entry.Path));
        return
        [
            .. WithTimes(entries, known)
                .Where(entry => entry.Kind != LayerEntryKind.Directory || !filled.Contains(entry.Path))
                .GroupBy(entry => LayerOf(entry, known, large))
                .OrderBy(layer => layer.Key.Index)
                .ThenBy(layer => layer.Key.Package, StringComparer.Ordinal)
                .Select(layer =>
                    LayerInput.Create($"{Names[layer.Key.Index]} {layer.Key.Package}".TrimEnd(), WithParents(layer, directories))
                ),
        ];
    }

    private static IEnumerable<(string Package, long Length)> PackageFilesIn(
        IEnumerable<LayerEntry> entries,
        Dictionary<string, PublishItem> items
    )
    {
        foreach (var entry in entries)
        {
            if (entry.Content is { } content && IndexOfLayer(entry, items) == Packages && ItemOf(entry, items)?.Package is { } package)
                yield return (package, content.Length);
        }
    }

    /// <summary>Each layer has the directories of its own files, with the attributes they have in all of them.</summary>
    private static IEnumerable<LayerEntry> WithParents(IGrouping<LayerKey, LayerEntry> layer, List<LayerEntry> directories)
    {
        var parents = LayerPath.ParentsOf(layer.Select(entry => entry.Path));
        return layer.Concat(directories.Where(directory => parents.Contains(directory.Path)));
    }

    internal static Dictionary<string, PublishItem> ByPath(IReadOnlyCollection<PublishItem> items)
    {
        var found = new Dictionary<string, PublishItem>(StringComparer.Ordinal);
        foreach (var item in items)
            found[item.RelativePath.Replace('\\', '/').TrimStart('/')] = item;
        return found;
    }

    private static PublishItem? ItemOf(LayerEntry entry, Dictionary<string, PublishItem> items) =>
        entry.PublishPath is { } path ? items.GetValueOrDefault(path) : null;

    private static PublishItemOrigin OriginOf(LayerEntry entry, Dictionary<string, PublishItem> items) =>
        ItemOf(entry, items)?.Origin ?? PublishItemOrigin.App;

    private static LayerKey LayerOf(LayerEntry entry, Dictionary<string, PublishItem> items, LargePackages large)
    {
        var index = IndexOfLayer(entry, items);
        return index == Packages && ItemOf(entry, items)?.Package is { } package && large.Contains(package)
            ? new LayerKey(index - 1, package.ToLowerInvariant())
            : new LayerKey(index, "");
    }

    // A type of its own, since code for tuples is compiled in every build.
    private sealed record LayerKey(int Index, string Package);

    private static int IndexOfLayer(LayerEntry entry, Dictionary<string, PublishItem> items)
    {
        // What names the app's own versions changes with the app, wherever the items say it comes from.
        if (entry.Kind == LayerEntryKind.Directory || entry.PublishPath is not { } path || IsHostFile(path))
            return App;

        return OriginOf(entry, items) switch
        {
            PublishItemOrigin.Runtime => Runtime,
            PublishItemOrigin.Package => Packages,
            PublishItemOrigin.StaticContent => Static,
            PublishItemOrigin.App or PublishItemOrigin.Content when StaticContent.IsAt(path) || IsSatellite(path) => Static,
            PublishItemOrigin.Content when path.Contains('/', StringComparison.Ordinal) || entry.Content?.Length >= MinContentLength =>
                Content,
            PublishItemOrigin.PrereleasePackage or PublishItemOrigin.Project => Projects,
            _ => App,
        };
    }

    private static bool IsHostFile(string path) =>
        !path.Contains('/', StringComparison.Ordinal)
        && (
            path.EndsWith(".deps.json", StringComparison.OrdinalIgnoreCase)
            || path.EndsWith(".runtimeconfig.json", StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>A translation of the app's own texts. Those of packages stay with their packages, which they change with.</summary>
    private static bool IsSatellite(string path) =>
        path.Contains('/', StringComparison.Ordinal) && path.EndsWith(".resources.dll", StringComparison.OrdinalIgnoreCase);

    /// <summary>Static web content is known by its path already when it is read; here is what only the items know of.</summary>
    private static IEnumerable<LayerEntry> WithTimes(IEnumerable<LayerEntry> entries, Dictionary<string, PublishItem> items) =>
        entries.Select(entry =>
            entry is { Content: { } content, PublishPath: { } path }
            && !StaticContent.IsAt(path)
            && OriginOf(entry, items) == PublishItemOrigin.StaticContent
                ? entry with
                {
                    Modified = StaticContent.TimeOf(content),
                }
                : entry
        );
}

/// <summary>Packages that get a layer of their own: an update of one replaces only its layer, and services with different packages still
/// share it.</summary>
internal sealed class LargePackages
{
    /// <summary>From here on a package costs more to compress and send again than a layer costs.</summary>
    public const long MinLength = 8 << 20;

    /// <summary>Images may have 127 layers, bases have a handful, and every layer costs a request.</summary>
    public const int MaxCount = 8;

    private readonly HashSet<string> names;

    /// <param name="files">Every published file of a released package: the package's name, and the file's length in bytes.</param>
    public LargePackages(IEnumerable<(string Package, long Length)> files)
    {
        var lengths = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        foreach (var (package, length) in files)
            lengths[package] = lengths.GetValueOrDefault(package) + length;
        names = lengths
            .Keys.Where(package => lengths[package] >= MinLength)
            .OrderByDescending(package => lengths[package])
            .ThenBy(package => package, StringComparer.OrdinalIgnoreCase)
            .Take(MaxCount)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    public bool Contains(string? package) => package is not null && names.Contains(package);
}
