namespace ImagePublish.Packages;

/// <summary>Gets nothing, since nothing may be asked.</summary>
internal sealed class OfflineDownload : IPackageDownload
{
    public Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken) =>
        throw PackageErrors.Offline($"This machine does not have the package '{packages[0].Package}'");
}
