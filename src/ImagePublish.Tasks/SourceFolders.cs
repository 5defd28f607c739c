namespace ImagePublish.Tasks;

/// <summary>Tells by its place where a published file comes from: the SDK's publish items keep no other trace of what a package or a project only lets be copied.</summary>
/// <param name="packages">The folders that NuGet restores packages to.</param>
/// <param name="built">The folders that builds write to.</param>
internal sealed class SourceFolders(IEnumerable<string> packages, IEnumerable<string> built)
{
    private readonly string[] packages = [.. packages.Select(Closed)];
    private readonly string[] built = [.. built.Select(Closed)];

    /// <summary>The package that a file lies in, <c>…/packages/id/version/…</c>.</summary>
    /// <param name="file">The file's full path.</param>
    /// <returns>Name and version, or null if it lies in none.</returns>
    public (string Id, string Version)? PackageOf(string file) =>
        packages.FirstOrDefault(folder => IsIn(file, folder)) is { } root && file[root.Length..].Split('/', '\\') is [{ Length: > 0 } id, { Length: > 0 } version, _, ..]
            ? (id, version)
            : null;

    /// <summary>Whether a build made a file.</summary>
    /// <param name="file">The file's full path.</param>
    /// <returns>True if it lies where builds write to.</returns>
    public bool IsBuilt(string file) => built.Any(folder => IsIn(file, folder));

    private static bool IsIn(string file, string folder) => file.StartsWith(folder, StringComparison.OrdinalIgnoreCase);

    private static string Closed(string folder) => Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
}
