using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Migration;

/// <summary>Looks for a project's Dockerfile: beside the project, then in the folders above it up to that of the solution.</summary>
internal sealed class DockerfileSearch(string projectFile, string assemblyName)
{
    private const int MaxSearched = 1 << 16;

    private static readonly string[] Patterns = ["Dockerfile", "Containerfile", "Dockerfile.*", "*.Dockerfile"];

    private readonly string folder = Path.GetDirectoryName(projectFile)!;

    /// <summary>Finds it; null where there is none.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1152</c>: there are several, and none has the usual name or the project's.</exception>
    public string? Find()
    {
        foreach (var place in Folders())
        {
            var files = FilesIn(place);
            if (place != folder)
                files = [.. files.Where(IsForProject)];
            if (files.Count == 0)
                continue;
            var usual = files.FirstOrDefault(file => Path.GetFileName(file) is "Dockerfile" or "Containerfile");
            if (usual is not null || files.Count == 1)
                return usual ?? files[0];
            throw new ImagePublishException(
                DiagnosticCodes.SeveralDockerfiles,
                $"'{Text.Sanitize(place)}' has several Dockerfiles: "
                    + $"{string.Join(", ", files.Take(5).Select(file => Text.Sanitize(Path.GetFileName(file))))}. "
                    + "Name one with ImageDockerfile."
            );
        }

        return null;
    }

    /// <summary>The folder that paths of a Dockerfile's <c>COPY</c> begin at.</summary>
    /// <param name="named">What the project says, relative to the Dockerfile; empty to find it.</param>
    public string ContextOf(string dockerfile, string? named)
    {
        var own = Path.GetDirectoryName(dockerfile)!;
        if (!string.IsNullOrWhiteSpace(named))
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(named.Trim().Replace('\\', Path.DirectorySeparatorChar), own));
        var project = Path.GetFileName(projectFile);
        // COPY ["Shop/Shop.csproj", "Shop/"] is written for the folder above.
        foreach (var place in Folders().Prepend(own).Distinct())
        {
            var path = Path.GetRelativePath(place, projectFile).Replace('\\', '/');
            if (path != project && !path.StartsWith("..", StringComparison.Ordinal) && Mentions(dockerfile, path))
                return place;
        }

        return own;
    }

    private bool IsForProject(string file) =>
        Mentions(file, Path.GetFileName(projectFile), isWhole: false)
        || Mentions(file, assemblyName + ".dll", isWhole: false)
        || Mentions(file, Path.GetRelativePath(Path.GetDirectoryName(file)!, projectFile).Replace('\\', '/'))
        || Mentions(file, Path.GetRelativePath(Path.GetDirectoryName(file)!, folder).Replace('\\', '/'))
        || Path.GetFileName(file).Contains(assemblyName, StringComparison.OrdinalIgnoreCase);

    private static bool Mentions(string file, string text, bool isWhole = true)
    {
        try
        {
            using var reader = new StreamReader(file);
            var content = new char[MaxSearched];
            var length = reader.ReadBlock(content);
            // As a whole path, src/Shop/Shop.csproj is not Shop/Shop.csproj.
            var start = isWhole ? @"(?<![\w./-])(\./)?" : @"(?<![\w.-])";
            return Regex.IsMatch(content.AsSpan(0, length), start + Regex.Escape(text), RegexOptions.CultureInvariant);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static List<string> FilesIn(string place)
    {
        try
        {
            return
            [
                .. Patterns
                    .SelectMany(pattern => Directory.EnumerateFiles(place, pattern))
                    .Where(file => !file.EndsWith(".dockerignore", StringComparison.OrdinalIgnoreCase))
                    .Distinct()
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Up to the folder of a solution or of a checkout.
    private IEnumerable<string> Folders()
    {
        for (var place = folder; place is not null; place = Path.GetDirectoryName(place))
        {
            yield return place;
            if (Directory.Exists(Path.Combine(place, ".git")) || IsSolution(place))
                yield break;
        }
    }

    private static bool IsSolution(string place)
    {
        try
        {
            return Directory.EnumerateFiles(place, "*.sln*").Any();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
