using System.Collections.Concurrent;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Storage;

namespace ImagePublish.Rebasing;

/// <summary>What a base has for the apps on it.</summary>
internal sealed class BaseFacts(BaseImage image, BaseFileSystem files)
{
    // Where Microsoft's images, those of distributions and hand-made ones have .NET.
    private static readonly string[] DotNetFolders = ["usr/share/dotnet", "usr/lib/dotnet", "usr/lib64/dotnet", "opt/dotnet", "dotnet"];

    private readonly Dictionary<string, string> release = ReadRelease(files);

    public BaseImage Image => image;

    public BaseFileSystem Files => files;

    public ImageInventory Inventory { get; } = new(files);

    /// <summary>The distribution, <c>debian</c>; empty where the image does not say.</summary>
    public string System => release.GetValueOrDefault("ID", "");

    /// <summary>Its release without the number of the patch, <c>12</c>, <c>24.04</c>, <c>3.22</c>.</summary>
    public string Release => string.Join('.', release.GetValueOrDefault("VERSION_ID", "").Split('.').Take(2));

    /// <summary>The shared frameworks of .NET by name, each in its newest version.</summary>
    public IReadOnlyDictionary<string, string> Frameworks { get; } = FindFrameworks(files);

    /// <summary>The newest .NET runtime, <c>10.0.1</c>; null where there is none.</summary>
    public string? Runtime => Frameworks.GetValueOrDefault("Microsoft.NETCore.App") ?? RuntimeOf(image.Config);

    /// <summary>What an image says of its runtime in its variables, as Microsoft's do.</summary>
    public static string? RuntimeOf(ImageConfig config) => EnvironmentVariables.Find(config.Config?.Env ?? [], "DOTNET_VERSION");

    public static string? MajorMinorOf(string? version) =>
        version is not null && SemanticVersion.TryParse(version) is { } parsed ? $"{parsed.Major}.{parsed.Minor}" : null;

    private static Dictionary<string, string> FindFrameworks(BaseFileSystem files)
    {
        var found =
            from folder in DotNetFolders
            from name in NamesIn(files, $"{folder}/shared")
            from version in NamesIn(files, $"{folder}/shared/{name}")
            where SemanticVersion.TryParse(version) is not null
            group version by name;
        return found.ToDictionary(versions => versions.Key, versions => versions.OrderBy(TagOrder.VersionOf).Last());
    }

    // A link that leads in a circle leads to no runtime.
    private static IEnumerable<string> NamesIn(BaseFileSystem files, string folder)
    {
        try
        {
            return files.NamesIn(folder);
        }
        catch (ImagePublishException)
        {
            return [];
        }
    }

    private static Dictionary<string, string> ReadRelease(BaseFileSystem files)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in files.TextOf("etc/os-release").Split('\n'))
        {
            if (line.Split('=', 2) is [var name, var value])
                values[name.Trim()] = value.Trim('"', '\'', ' ', '\r');
        }

        return values;
    }
}

/// <summary>Reads the files of bases, each base once for all images: the layers are streamed by once per machine.</summary>
internal sealed class BaseFactsReader(ImageStore store, IPublishLog log)
{
    private readonly BaseFiles files = new(store, log);
    private readonly ConcurrentDictionary<Digest, Lazy<Task<BaseFacts>>> known = new();

    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public Task<BaseFacts> ReadAsync(BaseImage image, CancellationToken cancellationToken) =>
        known
            .GetOrAdd(image.ManifestDigest!, _ => new(async () => new BaseFacts(image, await files.ReadAsync(image, cancellationToken))))
            .Value;

    /// <summary>The same without a download; null where a layer was never read on this machine.</summary>
    public async Task<BaseFileSystem?> TryReadAsync(IEnumerable<Layer> layers, CancellationToken cancellationToken) =>
        await files.TryReadAsync(layers, mayDownload: false, cancellationToken);

    public Task<LayerListing> ListAsync(Layer layer, CancellationToken cancellationToken) =>
        files.ListAsync(layer, LayerReader.NewBudget(), cancellationToken);
}
