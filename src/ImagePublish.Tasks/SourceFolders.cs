namespace ImagePublish.Tasks;

/// <summary>
/// Finds by its path where a published file comes from: the SDK's publish items keep no other trace of files that a package or a project
/// only copies.
/// </summary>
internal sealed class SourceFolders(IEnumerable<string> packages, IEnumerable<string> built)
{
    private readonly string[] packages = [.. packages.Select(Closed)];
    private readonly string[] built = [.. built.Select(Closed)];

    /// <summary>The package that a file comes from, <c>…/packages/id/version/…</c>.</summary>
    public (string Id, string Version)? PackageOf(string file) =>
        packages.FirstOrDefault(folder => IsIn(file, folder)) is { } root
        && file[root.Length..].Split('/', '\\') is [{ Length: > 0 } id, { Length: > 0 } version, _, ..]
            ? (id, version)
            : null;

    public bool IsBuilt(string file) => built.Any(folder => IsIn(file, folder));

    private static bool IsIn(string file, string folder) => file.StartsWith(folder, StringComparison.OrdinalIgnoreCase);

    private static string Closed(string folder) => Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
}
