using System.Security.Cryptography;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Apt;
using ImagePublish.Packages.Layout;

namespace ImagePublish.Packages;

/// <summary>Packages as a layer of an image.</summary>
/// <param name="Packages">The packages, by name.</param>
/// <param name="Layer">Their files.</param>
public sealed record PackageLayer(IReadOnlyList<OsPackage> Packages, LayerContent Layer);

/// <summary>Makes layers of operating system packages, without Docker and without root.</summary>
/// <param name="time">The clock.</param>
/// <param name="log">Where to tell what is done.</param>
public sealed class OsPackages(TimeProvider time, IEngineLog log)
{
    // The tree of folders and os-release; what it depends on is for its scripts, which are not run.
    private const string RootPackage = "base-files";

    /// <summary>Makes the layer of an image that begins empty: packages, all they depend on, and a root file system with a user for the app.</summary>
    /// <param name="request">Which packages.</param>
    /// <param name="platform">The image's platform; it need not be the machine's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: it can not be made.</exception>
    public async Task<PackageLayer> MakeRootAsync(PackageRequest request, Platform platform, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || platform.Os != "linux")
            throw PackageErrors.NoApt();
        try
        {
            return await MakeAsync(request, PackageRequest.ArchitectureOf(platform), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.CacheFailed(request.CacheFolder, exception);
        }
    }

    private async Task<PackageLayer> MakeAsync(PackageRequest request, string architecture, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(request.CacheFolder, "apt", Key($"{architecture}\n{request.Source}"));
        var configuration = new AptConfiguration(folder, architecture, request.Source is null ? null : SourceFileIn(folder, request.Source), Path.Combine(folder, "nothing-installed"));
        IReadOnlyList<OsPackage> packages;
        AptTool tool;
        using (await FolderLock.AcquireAsync(folder, time, cancellationToken))
        {
            tool = Configure(configuration, request.Source);
            var resolver = new AptResolver(tool, new AptLists(tool, folder, time, log));
            packages = await resolver.ResolveAsync([.. request.Names.Union(request.Runtime?.Packages ?? [])], cancellationToken);
            if (packages.All(package => package.Name != RootPackage))
                packages = [.. packages.Append(await resolver.FindAsync(RootPackage, cancellationToken)).OrderBy(package => package.Name, StringComparer.Ordinal)];
        }

        var unpacked = await new PackageCache(Path.Combine(request.CacheFolder, "packages"), tool, log).FetchAsync(packages, cancellationToken);
        return new PackageLayer(packages, await new PackageLayout(isWholeRoot: true).LayOutAsync(unpacked, cancellationToken));
    }

    private static AptTool Configure(AptConfiguration configuration, string? source)
    {
        configuration.CreateFolders();
        File.WriteAllText(configuration.StatusFile, "");
        if (source is not null && configuration.SourceFile != source)
            File.WriteAllText(configuration.SourceFile!, source.ReplaceLineEndings("\n") + "\n");
        var file = Path.Combine(configuration.Folder, "apt.conf");
        File.WriteAllText(file, configuration.ToString());
        return new AptTool(file);
    }

    private static string SourceFileIn(string folder, string source)
    {
        if (File.Exists(source))
            return source;
        return Path.Combine(folder, source.StartsWith("deb", StringComparison.Ordinal) ? "image.list" : "image.sources");
    }

    private static string Key(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
