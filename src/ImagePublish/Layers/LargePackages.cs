namespace ImagePublish.Layers;

/// <summary>
/// Packages that are worth a layer of their own: one that is updated then takes only itself along, and one that two services use is shared although their other packages differ.
/// </summary>
internal sealed class LargePackages
{
    /// <summary>From here on a package costs more to compress and send again than a layer costs.</summary>
    public const long MinLength = 8 << 20;

    /// <summary>Images may have 127 layers, bases have a handful, and every layer costs a request.</summary>
    public const int MaxCount = 8;

    private readonly HashSet<string> names;

    /// <summary>Finds them.</summary>
    /// <param name="files">Every published file of a released package: the package's name, and the file's length in bytes.</param>
    public LargePackages(IEnumerable<(string Package, long Length)> files) =>
        names = files
            .GroupBy(file => file.Package, file => file.Length, StringComparer.OrdinalIgnoreCase)
            .Select(package => (Name: package.Key, Length: package.Sum()))
            .Where(package => package.Length >= MinLength)
            .OrderByDescending(package => package.Length)
            .ThenBy(package => package.Name, StringComparer.OrdinalIgnoreCase)
            .Take(MaxCount)
            .Select(package => package.Name)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a package has a layer of its own.</summary>
    public bool Contains(string? package) => package is not null && names.Contains(package);
}
