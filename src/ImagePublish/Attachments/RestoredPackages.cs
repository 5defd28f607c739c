using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Attachments;

/// <summary>The packages that a project was restored with, by NuGet's <c>project.assets.json</c>.</summary>
/// <remarks>
/// All of them count, also analyzers and what the SDK leaves out of the output: any may change what is built. Packs of the SDK (runtime,
/// app host) are in no list of libraries but in one of downloads.
/// </remarks>
internal sealed class RestoredPackages(string assetsFile)
{
    private const int MaxSize = 256 * 1024 * 1024;
    private const int MaxCount = 20_000;
    private const int MaxHashSize = 1024;

    /// <summary>Reads them, sorted by id and version.</summary>
    /// <param name="targets">The framework with the platform, and the framework alone: the first that the file has counts.</param>
    /// <exception cref="ImagePublishException"><c>IMG3113</c>: the file can't be read, or is something else.</exception>
    public async Task<IReadOnlyList<Material>> ReadAsync(IReadOnlyList<string> targets, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(assetsFile).Length > MaxSize)
                throw Unusable($"it has more than {MaxSize >> 20} MiB");
            await using var file = File.OpenRead(assetsFile);
            using var assets = await JsonDocument.ParseAsync(file, new JsonDocumentOptions { MaxDepth = 32 }, cancellationToken);
            return Read(assets.RootElement, targets);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Unusable("it is damaged, or of another form than NuGet writes", exception);
        }
    }

    private List<Material> Read(JsonElement assets, IReadOnlyList<string> targets)
    {
        var all = assets.GetProperty("targets");
        var target = targets.FirstOrDefault(name => all.TryGetProperty(name, out _))
            ?? throw Unusable($"it has no target {string.Join(" or ", targets)}");
        string[] folders = assets.TryGetProperty("packageFolders", out var known)
            ? [.. known.EnumerateObject().Select(one => one.Name)]
            : [];
        var libraries = assets.GetProperty("libraries");
        var packages = new SortedDictionary<string, Material>(StringComparer.Ordinal);
        foreach (var library in all.GetProperty(target).EnumerateObject())
        {
            if (
                library.Value.GetProperty("type").GetString() == "package"
                && libraries.TryGetProperty(library.Name, out var description)
                && library.Name.Split('/') is [var id, var version]
            )
                packages[library.Name] = Describe(id, version, folders, description.GetProperty("sha512").GetString());
        }

        foreach (var (id, version) in Downloads(assets, target.Split('/')[0]))
            packages.TryAdd($"{id}/{version}", Describe(id, version, folders, contentHash: null));
        return packages.Count <= MaxCount ? [.. packages.Values] : throw Unusable($"it has more than {MaxCount} packages");
    }

    private static IEnumerable<(string Id, string Version)> Downloads(JsonElement assets, string framework)
    {
        if (
            !assets.GetProperty("project").GetProperty("frameworks").TryGetProperty(framework, out var own)
            || !own.TryGetProperty("downloadDependencies", out var downloads)
        )
            return [];
        return downloads
            .EnumerateArray()
            .SelectMany(one =>
                (one.GetProperty("version").GetString() ?? "")
                    .Split(';', StringSplitOptions.RemoveEmptyEntries)
                    .Select(range => (one.GetProperty("name").GetString() ?? "", range.Trim('[', ']', ' ').Split(',')[0].Trim()))
            );
    }

    // The folder of a package may be gone: the hash of its content, by which NuGet itself compares, is in the file.
    private static Material Describe(string id, string version, string[] folders, string? contentHash)
    {
        var (lowerId, lowerVersion) = (id.ToLowerInvariant(), version.ToLowerInvariant());
        var archive = folders
            .Select(folder => ReadHash(Path.Combine(folder, lowerId, lowerVersion, $"{lowerId}.{lowerVersion}.nupkg.sha512")))
            .FirstOrDefault(hash => hash is not null);
        return new Material
        {
            Uri = PackageUrl.NuGet(id, version),
            Digest = archive is null ? null : ("sha512", archive),
            Annotations = contentHash is { Length: > 0 } ? [KeyValuePair.Create("nugetContentHash", contentHash)] : [],
        };
    }

    private static string? ReadHash(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaxHashSize)
            return null;
        try
        {
            var hash = Convert.FromBase64String(File.ReadAllText(path));
            return hash.Length == 64 ? Convert.ToHexStringLower(hash) : null;
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private ImagePublishException Unusable(string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.PackagesUnknown,
            $"The packages that the project was restored with can't be read from '{assetsFile}': {reason}. Restore the project "
                + "again, or set ImageProvenance to false.",
            cause
        );
}
