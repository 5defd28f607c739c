namespace ImagePublish.Testing;

/// <summary>The files of this repository as a clone has them: what was built or installed in it is not among them.</summary>
public static class SourceTree
{
    private static readonly string[] Outputs = ["bin", "obj", "node_modules"];

    /// <summary>The files below a folder, by full path.</summary>
    /// <param name="folder">Absolute, or relative to the repository.</param>
    /// <param name="pattern">What their names are like.</param>
    public static IEnumerable<string> Files(string folder, string pattern = "*")
    {
        var root = Path.Combine(RepositoryRoot.Path, folder);
        return Directory
            .EnumerateFiles(root, pattern, SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar).Intersect(Outputs).Any())
            .Order(StringComparer.Ordinal);
    }

    public static string Relative(string file) => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/');

    /// <summary>Copies a folder's files to another.</summary>
    public static void Copy(string folder, string target)
    {
        foreach (var file in Files(folder))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(Path.Combine(RepositoryRoot.Path, folder), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
