namespace ImagePublish.Packages.Model;

/// <summary>A way to get package files: from the locked sources, by apt, or not at all.</summary>
internal interface IPackageDownload
{
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6004</c>, <c>IMG6005</c>, <c>IMG6009</c>: one can not be had.</exception>
    Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken);
}
