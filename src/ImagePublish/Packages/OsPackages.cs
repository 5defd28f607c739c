using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Apt;
using ImagePublish.Packages.Layout;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages;

/// <summary>Makes layers of operating system packages, without Docker and without root.</summary>
internal sealed class OsPackages(PackageNetwork network, IPublishLog log)
{
    public const int LayoutVersion = 1;

    /// <summary>The packages of a request and all they depend on, less what the base has: those of its lock, else what apt
    /// chooses.</summary>
    /// <param name="mustRefresh">Whether the sources are asked what is new, although they were a short while ago.</param>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: they can not be chosen.</exception>
    public Task<IReadOnlyList<OsPackage>> ChooseAsync(
        PackageRequest request,
        Platform platform,
        PackageBase? packageBase,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(platform);
        return request.Locked is { } locked
            ? Task.FromResult(locked)
            : InCacheAsync(request, () => AskAsync(request, platform, packageBase, mustRefresh, cancellationToken));
    }

    /// <summary>Makes the layer of packages that were chosen; on nothing, also a root file system with a user for the app.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: it can not be made.</exception>
    public Task<LayerInput> LayOutAsync(
        IReadOnlyList<OsPackage> packages,
        PackageRequest request,
        Platform platform,
        PackageBase? packageBase,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(platform);
        return InCacheAsync(request, async () =>
        {
            var source = await DownloadAsync(request, platform, packageBase, cancellationToken);
            var cache = new PackageCache(Path.Combine(request.CacheFolder, "packages"), source, log);
            try
            {
                return await new PackageLayout(packageBase?.Files).LayOutAsync(
                    await cache.FetchAsync(packages, cancellationToken),
                    cancellationToken
                );
            }
            catch (PackageGoneException exception) when (request.HasApt)
            {
                throw await GoneAsync(exception, request, platform, packageBase, cancellationToken);
            }
        });
    }

    private async Task<IReadOnlyList<OsPackage>> AskAsync(
        PackageRequest request,
        Platform platform,
        PackageBase? packageBase,
        bool mustRefresh,
        CancellationToken cancellationToken
    )
    {
        var workspace = OpenWorkspace(request, platform, packageBase);
        using var held = await workspace.LockAsync(log, cancellationToken);
        var tool = workspace.Prepare(log);
        var sources = PackageSources.Create(request, packageBase);
        var lists = new AptLists(tool, GuardOf(sources, request), workspace.Folder, request.Time, log);
        var isNew = request.IsOffline ? lists.Exist : await lists.RefreshAsync(mustRefresh, cancellationToken);
        if (request.IsOffline && !isNew)
            throw PackageErrors.Offline("Which packages there are is not known on this machine");
        var choices = new AptChoices(workspace.Folder, workspace.UsesMachine);
        var question = $"{workspace.StatusFile}\n{string.Join('\n', request.Wanted)}";
        if (choices.Find(question) is { } known)
            return known;
        var resolver = new AptResolver(tool, sources);
        IReadOnlyList<OsPackage> packages;
        try
        {
            packages = await ResolveAsync(resolver, lists, request.Wanted, packageBase is null, cancellationToken);
        }
        catch (ImagePublishException exception) when (!isNew && exception.Code == DiagnosticCodes.PackageUnknown)
        {
            // The lists may be older than the package, or than the machine's sources.
            await lists.RefreshAsync(force: true, cancellationToken);
            packages = await ResolveAsync(resolver, lists, request.Wanted, packageBase is null, cancellationToken);
        }

        choices.Remember(question, packages, request.Time.GetUtcNow());
        return packages;
    }

    private static async Task<IReadOnlyList<OsPackage>> ResolveAsync(
        AptResolver resolver,
        AptLists lists,
        IReadOnlyList<string> wanted,
        bool isWholeRoot,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await resolver.ResolveAsync(wanted, isWholeRoot, cancellationToken);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.PackageUnknown && lists.Unread is { } reason)
        {
            throw new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                "A package is not known, and a package source that may have it could not be read: "
                    + $"{reason.TrimEnd('.')}. Check the network and the sources.",
                exception
            );
        }
    }

    private async Task<IPackageDownload> DownloadAsync(
        PackageRequest request,
        Platform platform,
        PackageBase? packageBase,
        CancellationToken cancellationToken
    )
    {
        if (request.IsOffline)
            return new OfflineDownload();
        var sources = PackageSources.Create(request, packageBase);
        if (request.Locked is not null && !request.HasApt)
            return new LockedDownload(sources, null, GuardOf(sources, request), network.Download);
        var workspace = OpenWorkspace(request, platform, packageBase);
        using var held = await workspace.LockAsync(log, cancellationToken);
        var tool = workspace.Prepare(log);
        return request.Locked is null
            ? new AptDownload(tool, GuardOf(sources, request))
            : new LockedDownload(sources, tool, GuardOf(sources, request), network.Download);
    }

    private SourceGuard GuardOf(PackageSources sources, PackageRequest request) =>
        new(sources, request.TrustedSourceHosts, network.LookUpHost);

    // Only where it is of use does anybody wait for the lists.
    private async Task<ImagePublishException> GoneAsync(
        PackageGoneException exception,
        PackageRequest request,
        Platform platform,
        PackageBase? packageBase,
        CancellationToken cancellationToken
    )
    {
        var workspace = OpenWorkspace(request, platform, packageBase);
        using var held = await workspace.LockAsync(log, cancellationToken);
        var tool = workspace.Prepare(log);
        var sources = PackageSources.Create(request, packageBase);
        await new AptLists(tool, GuardOf(sources, request), workspace.Folder, request.Time, log).RefreshAsync(
            force: true,
            cancellationToken
        );
        var version = await new AptResolver(tool, sources).FindVersionAsync(exception.Package.Name, cancellationToken);
        return PackageErrors.Gone(exception.Package, version);
    }

    private static AptWorkspace OpenWorkspace(PackageRequest request, Platform platform, PackageBase? packageBase) =>
        request.HasApt && platform.Os == "linux"
            ? new AptWorkspace(request, PackageRequest.ArchitectureOf(platform), packageBase)
            : throw PackageErrors.NoApt();

    private static async Task<T> InCacheAsync<T>(PackageRequest request, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PackageErrors.CacheFailed(request.CacheFolder, exception);
        }
    }
}
