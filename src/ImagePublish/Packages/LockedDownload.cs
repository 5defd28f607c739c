using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Apt;

namespace ImagePublish.Packages;

/// <summary>Gets a file over http.</summary>
/// <param name="address">Where it is.</param>
/// <param name="target">Where it goes.</param>
/// <param name="limit">The most bytes that it may have.</param>
/// <param name="cancellationToken">Gives up.</param>
/// <returns>Null if it was written; else why not.</returns>
public delegate Task<string?> FileDownload(string address, Stream target, long limit, CancellationToken cancellationToken);

/// <summary>Gets packages by their paths from sources of which one or the other has them: no index is read, and no apt is needed.</summary>
/// <param name="sources">The sources.</param>
/// <param name="tool">apt, whose client knows the machine's proxies and mirrors; null where there is none.</param>
/// <param name="download">Gets a file where there is no apt.</param>
internal sealed class LockedDownload(PackageSources sources, AptTool? tool, FileDownload download) : IPackageDownload
{
    private const int Parallel = 4;

    /// <inheritdoc/>
    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        if (sources.Addresses.Count == 0)
            throw new ImagePublishException(
                DiagnosticCodes.PackageToolMissing, "The lock file says which packages, but not where from, and this machine has no apt that knows. Set ImagePackageSource, such as 'deb ADDRESS SUITE main'.");
        var reasons = new List<string>();
        var missing = packages;
        foreach (var address in sources.Addresses)
        {
            if (await TryAsync(address, missing, cancellationToken) is { } reason)
                reasons.Add($"{Text.Shown(WithoutSecrets(address))}: {reason}");
            missing = [.. missing.Where(one => !File.Exists(one.File))];
            if (missing.Count == 0)
                return;
        }

        throw new PackageGoneException(missing[0].Package, string.Join("; ", reasons));
    }

    private async Task<string?> TryAsync(string address, IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        if (tool is null)
            return await TryByHttpAsync(address, packages, cancellationToken);
        var answer = await tool.DownloadAsync(packages.Select(one => (PackageSources.LocationOf(address, one.Package.Path), one.File, one.Package.Digest.Hex)), cancellationToken);
        return answer.Succeeded ? null : AptErrors.Of(answer) is { } failure && failure.Code == DiagnosticCodes.PackageTampered ? throw failure : "it is not there";
    }

    private async Task<string?> TryByHttpAsync(string address, IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        string? reason = null;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(packages, options, async (one, token) =>
        {
            var partial = one.File + ".partial";
            await using (var target = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                if (await GetAsync(PackageSources.LocationOf(address, one.Package.Path), target, one.Package.Size, token) is { } why)
                {
                    reason = why;
                    return;
                }
            }

            File.Move(partial, one.File);
        });
        return reason;
    }

    private async Task<string?> GetAsync(string location, FileStream target, long size, CancellationToken cancellationToken)
    {
        if (location.StartsWith("http:", StringComparison.OrdinalIgnoreCase) || location.StartsWith("https:", StringComparison.OrdinalIgnoreCase))
            return await download(location, target, size, cancellationToken);
        if (!location.StartsWith("file:", StringComparison.OrdinalIgnoreCase) && !location.StartsWith("copy:", StringComparison.OrdinalIgnoreCase))
            return "only apt can read it";
        var path = Uri.UnescapeDataString(location[5..].Replace("///", "/", StringComparison.Ordinal));
        if (!File.Exists(path))
            return "it is not there";
        await using var file = File.OpenRead(path);
        await file.CopyToAsync(target, cancellationToken);
        return null;
    }

    private static string WithoutSecrets(string address) => Uri.TryCreate(address, UriKind.Absolute, out var parsed) && parsed.UserInfo.Length > 0
        ? address.Replace(parsed.UserInfo + "@", "", StringComparison.Ordinal)
        : address;
}

/// <summary>No source has a package of a lock file.</summary>
internal sealed class PackageGoneException(OsPackage package, string where) : ImagePublishException(
    DiagnosticCodes.PackageGone, $"The package '{package}' of the lock file is gone from its source ({where}). Update the lock: dotnet msbuild -t:UpdateImageLock.")
{
    /// <summary>The package.</summary>
    public OsPackage Package => package;

    /// <summary>Where it was looked for.</summary>
    public string Where => where;
}
