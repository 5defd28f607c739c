using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Sboms;

/// <summary>Which package needs which, and which of them the project names itself.</summary>
/// <param name="Roots">What the project references, by name.</param>
internal sealed record PackageGraph(IReadOnlyCollection<string> Roots, IReadOnlyDictionary<string, PackageGraph.Node> Nodes)
{
    private const int MaxLength = 128 << 20;

    /// <summary>A package or project of the graph.</summary>
    internal sealed record Node(string Name, string Version, bool IsProject, IReadOnlyList<string> Needs);

    public static PackageGraph Empty { get; } = new([], new Dictionary<string, Node>(StringComparer.OrdinalIgnoreCase));

    /// <summary>Reads <c>project.assets.json</c>. One that is missing or damaged leaves dependencies out, and is reported.</summary>
    public static PackageGraph Read(PackageGraphFile? file, IPublishLog log)
    {
        if (file is null || !File.Exists(file.Path))
            return Empty;
        try
        {
            using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (stream.Length > MaxLength)
                throw new InvalidDataException($"it has more than {MaxLength >> 20} MiB");
            using var document = JsonDocument.Parse(stream);
            return Read(document.RootElement, file);
        }
        catch (Exception exception)
            when (exception
                    is JsonException
                        or InvalidDataException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            log.WarnOrFail(
                DiagnosticCodes.SbomIncomplete,
                $"The SBOM does not say which package needs which, because '{Text.Sanitize(file.Path)}' can't be read: "
                    + $"{Text.Sanitize(exception.Message).TrimEnd('.')}. Restore the project again."
            );
            return Empty;
        }
    }

    private static PackageGraph Read(JsonElement document, PackageGraphFile file)
    {
        var nodes = new Dictionary<string, Node>(StringComparer.OrdinalIgnoreCase);
        if (!document.TryGetProperty("targets", out var targets) || TargetOf(targets, file) is not { } target)
            return Empty;
        foreach (var library in target.EnumerateObject())
        {
            if (library.Name.Split('/') is not [var name, var version])
                continue;
            var isProject = library.Value.TryGetProperty("type", out var type) && type.ValueEquals("project");
            var needs = library.Value.TryGetProperty("dependencies", out var dependencies)
                ? dependencies.EnumerateObject().Select(dependency => dependency.Name).ToList()
                : [];
            nodes[name] = new Node(name, version, isProject, needs);
        }

        return new PackageGraph(RootsOf(document, file).ToHashSet(StringComparer.OrdinalIgnoreCase), nodes);
    }

    private static JsonElement? TargetOf(JsonElement targets, PackageGraphFile file)
    {
        var known = targets.EnumerateObject().Where(target => IsOf(target.Name.Split('/')[0], file.Framework)).ToList();
        var exact = known.FindIndex(target =>
            file.RuntimeIdentifier is { } rid && target.Name.EndsWith("/" + rid, StringComparison.Ordinal)
        );
        var portable = known.FindIndex(target => !target.Name.Contains('/', StringComparison.Ordinal));
        var chosen = exact >= 0 ? exact : Math.Max(portable, 0);
        return chosen < known.Count ? known[chosen].Value : null;
    }

    // 'Name >= 1.0.0', for packages and projects.
    private static IEnumerable<string> RootsOf(JsonElement document, PackageGraphFile file) =>
        document.TryGetProperty("projectFileDependencyGroups", out var groups)
            ? groups
                .EnumerateObject()
                .Where(group => IsOf(group.Name, file.Framework))
                .SelectMany(group => group.Value.EnumerateArray())
                .Select(line => (line.GetString() ?? "").Split(' ')[0])
            : [];

    // Older versions of the file write '.NETCoreApp,Version=v10.0'.
    private static bool IsOf(string name, string framework) =>
        name == framework
        || name.StartsWith(framework + "-", StringComparison.Ordinal)
        || name == $".NETCoreApp,Version=v{framework["net".Length..]}";
}
