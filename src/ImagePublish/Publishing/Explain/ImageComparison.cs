using System.Text.Json;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;

namespace ImagePublish.Publishing.Explain;

/// <summary>What differs between two images: files, packages, config.</summary>
internal static class ImageComparison
{
    public static ImageDifferences Compare(string name, Image earlier, BaseFileSystem before, Image image, BaseFileSystem after) =>
        new(
            name,
            earlier.Digest,
            earlier.Size,
            Files(before, after),
            Packages(before, after),
            ConfigComparer.Compare(earlier.Config, image.Config)
        );

    private static List<FileChange> Files(BaseFileSystem before, BaseFileSystem after)
    {
        var old = before.All().Where(IsContent).ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        var changes = new List<FileChange>();
        foreach (var entry in after.All().Where(IsContent))
        {
            if (!old.Remove(entry.Path, out var previous))
                changes.Add(new FileChange(entry.Path, ChangeKind.Added, null, entry.Length));
            else if (!IsSame(previous, entry))
                changes.Add(new FileChange(entry.Path, ChangeKind.Changed, previous.Length, entry.Length));
        }

        changes.AddRange(old.Values.Select(entry => new FileChange(entry.Path, ChangeKind.Removed, entry.Length, null)));
        return [.. changes.OrderBy(change => change.Path, StringComparer.Ordinal)];
    }

    private static bool IsContent(LayerEntryInfo entry) => entry.Kind != LayerEntryInfoKind.Directory;

    private static bool IsSame(LayerEntryInfo one, LayerEntryInfo other) =>
        (one.Kind, one.Length, one.Fingerprint, one.LinkTarget, one.Mode, one.Uid, one.Gid)
        == (other.Kind, other.Length, other.Fingerprint, other.LinkTarget, other.Mode, other.Uid, other.Gid);

    private static List<ConfigChange> Packages(BaseFileSystem before, BaseFileSystem after)
    {
        var (old, now) = (Packages(before), Packages(after));
        return
        [
            .. from name in old.Keys.Union(now.Keys).Order(StringComparer.OrdinalIgnoreCase)
            let change = new ConfigChange(name, old.GetValueOrDefault(name), now.GetValueOrDefault(name))
            where change.Before != change.After
            select change,
        ];
    }

    // .NET's packages by what lies beside the app, the system's by what dpkg knows.
    private static Dictionary<string, string> Packages(BaseFileSystem files)
    {
        var packages = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, text) in files.AllTexts().Where(text => text.Key.EndsWith(".deps.json", StringComparison.Ordinal)))
        {
            foreach (var (name, version) in Libraries(path, text))
                packages[name] = version;
        }

        foreach (var (name, version) in PackageBase.Installed(files))
            packages[$"{name} (deb)"] = version;
        return packages;
    }

    /// <summary>The packages of a list of dependencies (<c>deps.json</c>).</summary>
    internal static IEnumerable<(string Name, string Version)> Libraries(string path, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.TryGetProperty("libraries", out var libraries)
                ?
                [
                    .. libraries
                        .EnumerateObject()
                        .Where(IsPackage)
                        .Select(library => library.Name.Split('/'))
                        .Where(parts => parts.Length == 2)
                        .Select(parts => (parts[0], parts[1])),
                ]
                : [];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return [($"{path} can't be read", "")];
        }
    }

    private static bool IsPackage(JsonProperty library) =>
        library.Value.TryGetProperty("type", out var type) && type.GetString() is "package" or "runtimepack";
}
