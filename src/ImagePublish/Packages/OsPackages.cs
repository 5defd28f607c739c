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
/// <param name="log">Where to tell what is done.</param>
public sealed class OsPackages(IEngineLog log)
{
    // The tree of folders and os-release; what it depends on is for its scripts, which are not run.
    private const string RootPackage = "base-files";

    /// <summary>Makes the layer: packages and all they depend on, less what the base has; on nothing, also a root file system with a user for the app.</summary>
    /// <param name="request">Which packages.</param>
    /// <param name="platform">The image's platform; it need not be the machine's.</param>
    /// <param name="packageBase">What lies below; null for nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: it can not be made.</exception>
    public async Task<PackageLayer> MakeAsync(PackageRequest request, Platform platform, PackageBase? packageBase, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || platform.Os != "linux")
            throw PackageErrors.NoApt();
        try
        {
            var workspace = new AptWorkspace(request, PackageRequest.ArchitectureOf(platform), packageBase);
            var (tool, packages) = await ChooseAsync(request, workspace, packageBase is null, cancellationToken);
            var unpacked = await new PackageCache(Path.Combine(request.CacheFolder, "packages"), tool, log).FetchAsync(packages, cancellationToken);
            return new PackageLayer(packages, await new PackageLayout(packageBase?.Files).LayOutAsync(unpacked, cancellationToken));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.CacheFailed(request.CacheFolder, exception);
        }
    }

    private async Task<(AptTool Tool, IReadOnlyList<OsPackage> Packages)> ChooseAsync(
        PackageRequest request, AptWorkspace workspace, bool isWholeRoot, CancellationToken cancellationToken)
    {
        using var turn = await FolderLock.AcquireAsync(workspace.Folder, request.Time, cancellationToken);
        var tool = workspace.Prepare();
        var resolver = new AptResolver(tool, new AptLists(tool, workspace.Folder, request.Time, log));
        var packages = await resolver.ResolveAsync([.. request.Names.Union(request.Runtime?.Packages ?? [])], cancellationToken);
        if (isWholeRoot && packages.All(package => package.Name != RootPackage))
            packages = [.. packages.Append(await resolver.FindAsync(RootPackage, cancellationToken)).OrderBy(package => package.Name, StringComparer.Ordinal)];
        return (tool, packages);
    }
}
