using System.Net;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Apt;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages;

/// <summary>Gets a file over http.</summary>
/// <returns>Whether it was written; false where the server says that there is no such file.</returns>
/// <exception cref="ImagePublishException"><c>IMG6009</c>: the server can't be reached, or does not give it.</exception>
/// <param name="connect">Connects to the address's host, and to no other; null where requests may go anywhere.</param>
internal delegate Task<bool> FileDownload(
    string address,
    Stream target,
    long limit,
    Func<DnsEndPoint, CancellationToken, Task<Stream>>? connect,
    CancellationToken cancellationToken
);

/// <summary>Gets packages by their paths from sources of which one or the other has them: no index is read, and no apt is needed.</summary>
/// <param name="tool">apt, whose client knows the machine's proxies and mirrors; null where there is none.</param>
internal sealed class LockedDownload(PackageSources sources, AptTool? tool, SourceGuard guard, FileDownload download) : IPackageDownload
{
    private const int Parallel = 4;

    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        if (sources.Addresses.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.PackageToolMissing,
                "The lock file says which packages, but not where from, and this machine has no apt that knows. Set "
                    + "ImagePackageSource, such as 'deb ADDRESS SUITE main'."
            );
        await guard.CheckAsync(cancellationToken);
        var failures = new List<ImagePublishException>();
        var missing = packages;
        foreach (var address in sources.Addresses)
        {
            try
            {
                await GetFromAsync(address, missing, cancellationToken);
            }
            catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.PackageSourceFailed)
            {
                // Another source may have it. Nobody can say that it is gone as long as one could not be asked.
                failures.Add(exception);
            }

            missing = [.. missing.Where(one => !File.Exists(one.File))];
            if (missing.Count == 0)
                return;
        }

        throw Failed(missing[0].Package, failures);
    }

    private ImagePublishException Failed(OsPackage package, List<ImagePublishException> failures) =>
        failures.Count switch
        {
            0 => new PackageGoneException(
                package,
                $"it is not at {string.Join(", ", sources.Addresses.Select(address => Text.Sanitize(address)))}"
            ),
            1 => failures[0],
            _ => new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                string.Join(" ", failures.Select(failure => failure.Message))
            ),
        };

    private async Task GetFromAsync(
        string address,
        IReadOnlyList<(OsPackage Package, string File)> packages,
        CancellationToken cancellationToken
    )
    {
        if (tool is null)
        {
            await GetByHttpAsync(address, packages, cancellationToken);
            return;
        }

        var answer = await tool.DownloadAsync(
            packages.Select(one => (PackageSources.LocationOf(address, one.Package.Path), one.File, one.Package.Digest.Hex)),
            guard,
            cancellationToken
        );
        if (!answer.Succeeded && AptErrors.Explain(answer) is var failure && failure.Code != DiagnosticCodes.PackageGone)
            throw failure;
    }

    private async Task GetByHttpAsync(
        string address,
        IReadOnlyList<(OsPackage Package, string File)> packages,
        CancellationToken cancellationToken
    )
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(packages, options, async (one, token) =>
        {
            var partial = one.File + ".partial";
            bool isThere;
            await using (var target = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None))
                isThere = await GetAsync(address, one.Package, target, token);
            if (isThere)
                File.Move(partial, one.File);
        });
    }

    private async Task<bool> GetAsync(string address, OsPackage package, FileStream target, CancellationToken cancellationToken)
    {
        var location = PackageSources.LocationOf(address, package.Path);
        if (
            location.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            || location.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
        )
            return await download(location, target, package.Size, guard.IsNeeded ? guard.ConnectAsync : null, cancellationToken);
        if (
            !location.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
            && !location.StartsWith("copy:", StringComparison.OrdinalIgnoreCase)
        )
            throw new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                $"The package source '{Text.Sanitize(address)}' can be read by apt only, which this machine does not have. "
                    + "Name another in ImagePackageSource."
            );
        var path = Uri.UnescapeDataString(location[5..].Replace("///", "/", StringComparison.Ordinal));
        if (!File.Exists(path))
            return false;
        await using var file = PackageSources.Guarded(path, File.OpenRead);
        await file.CopyToAsync(target, cancellationToken);
        return true;
    }
}

/// <summary>No source has a package of a lock file.</summary>
internal sealed class PackageGoneException(OsPackage package, string where)
    : ImagePublishException(
        DiagnosticCodes.PackageGone,
        $"The package '{package}' of the lock file is gone from its source ({where}). {PackageErrors.GoneAdvice}"
    )
{
    public OsPackage Package => package;

    public string Where => where;
}

/// <summary>Gets nothing, since nothing may be asked.</summary>
internal sealed class OfflineDownload : IPackageDownload
{
    public Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken) =>
        throw PackageErrors.Offline($"This machine does not have the package '{packages[0].Package}'");
}
