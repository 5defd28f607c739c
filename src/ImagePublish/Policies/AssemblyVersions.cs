using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using ImagePublish.Layers;

namespace ImagePublish.Policies;

/// <summary>An assembly that an app has more than once, in different versions.</summary>
internal sealed record RepeatedAssembly(string Name, IReadOnlyList<AssemblyFile> Files);

/// <summary>One of the files of an assembly.</summary>
internal sealed record AssemblyFile(string Path, Version Version);

/// <summary>Finds assemblies that an app has twice in different versions. Only files of one name are read.</summary>
internal static class AssemblyVersions
{
    /// <summary>The paths and versions of each such assembly.</summary>
    public static IEnumerable<RepeatedAssembly> FindTwice(IReadOnlyCollection<LayerEntry> entries)
    {
        // A folder with a list of dependencies of its own is another app, or a plug-in that is loaded apart.
        var apart = entries
            .Where(entry => entry.PublishPath?.EndsWith(".deps.json", StringComparison.OrdinalIgnoreCase) == true)
            .Select(entry => LayerPath.ParentOf(entry.PublishPath!))
            .Where(folder => folder.Length > 0)
            .ToHashSet(StringComparer.Ordinal);
        return entries
            .Where(entry => IsLoaded(entry) && !LayerPath.ParentsOf(entry.PublishPath!).Any(apart.Contains))
            .GroupBy(entry => LayerPath.NameOf(entry.PublishPath!), StringComparer.OrdinalIgnoreCase)
            .Where(files => files.Count() > 1)
            .Select(files => new RepeatedAssembly(files.Key, Read(files)))
            .Where(found => found.Files.Select(file => file.Version).Distinct().Count() > 1);
    }

    // Reference assemblies and variants for platforms are not loaded beside another; translations have one name in each language.
    private static bool IsLoaded(LayerEntry entry) =>
        entry is { PublishPath: { } path, Content: FileOnDisk }
        && path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
        && !path.EndsWith(".resources.dll", StringComparison.OrdinalIgnoreCase)
        && !path.StartsWith("runtimes/", StringComparison.Ordinal)
        && !path.StartsWith("refs/", StringComparison.Ordinal)
        && !StaticContent.IsAt(path);

    private static IReadOnlyList<AssemblyFile> Read(IEnumerable<LayerEntry> files) => [.. files.Select(TryRead).OfType<AssemblyFile>()];

    private static AssemblyFile? TryRead(LayerEntry entry)
    {
        try
        {
            using var stream = ((FileOnDisk)entry.Content!).Open();
            using var image = new PEReader(stream);
            if (!image.HasMetadata)
                return null;
            var reader = image.GetMetadataReader();
            return reader.IsAssembly ? new AssemblyFile(entry.Path, reader.GetAssemblyDefinition().Version) : null;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException or InvalidOperationException)
        {
            return null;
        }
    }
}
