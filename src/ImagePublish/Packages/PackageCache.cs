using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Deb;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages;

/// <summary>Packages taken apart, by the SHA-256 of their archives: one download and one inflation for all projects of a user.</summary>
internal sealed class PackageCache(string folder, IPackageDownload download, IPublishLog log)
{
    /// <exception cref="ImagePublishException"><c>IMG6004</c>, <c>IMG6005</c>, <c>IMG6008</c>, <c>IMG6009</c>: one can not be had, or is
    /// not what it should be.</exception>
    public async Task<IReadOnlyList<UnpackedPackage>> FetchAsync(IReadOnlyList<OsPackage> packages, CancellationToken cancellationToken)
    {
        var missing = packages.Where(package => !Directory.Exists(FolderOf(package))).ToList();
        if (missing.Count > 0)
        {
            log.Detail($"Downloading {Text.Count(missing.Count, "package")}: {string.Join(", ", missing)}.");
            PrivateFiles.CreateFolder(folder);
            var work = Directory.CreateTempSubdirectory("image-packages-").FullName;
            try
            {
                await DownloadAsync(missing, work, cancellationToken);
            }
            finally
            {
                Directory.Delete(work, recursive: true);
            }
        }

        return [.. packages.Select(package => new UnpackedPackage(package, FolderOf(package)))];
    }

    private async Task DownloadAsync(List<OsPackage> packages, string work, CancellationToken cancellationToken)
    {
        await download.GetAsync(
            [.. packages.Select(package => (package, Path.Combine(work, package.Digest.Hex + ".deb")))],
            cancellationToken
        );
        await Parallel.ForEachAsync(packages, cancellationToken, async (package, token) =>
            await UnpackAsync(package, Path.Combine(work, package.Digest.Hex + ".deb"), token)
        );
    }

    private async Task UnpackAsync(OsPackage package, string archive, CancellationToken cancellationToken)
    {
        await using (var file = File.OpenRead(archive))
        {
            if (!await package.Digest.MatchesAsync(file, cancellationToken))
                throw new ImagePublishException(
                    DiagnosticCodes.PackageTampered,
                    $"The package '{package}' from {Common.Text.Sanitize(package.Location ?? package.Path)} is not the one "
                        + $"with {package.Digest}. Use another mirror."
                );
        }

        // Beside the target, so that the move is one step; whoever comes second finds the same content there.
        var partial = Path.Combine(folder, $".{package.Digest.Hex}.{Guid.NewGuid():n}");
        PrivateFiles.CreateFolder(partial);
        try
        {
            await Deb.UnpackedPackage.UnpackAsync(package.ToString(), archive, partial, cancellationToken);
            Directory.Move(partial, FolderOf(package));
        }
        catch (IOException) when (Directory.Exists(FolderOf(package)))
        {
            // Another process was faster.
        }
        finally
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }
    }

    private string FolderOf(OsPackage package) => Path.Combine(folder, package.Digest.Hex);
}
