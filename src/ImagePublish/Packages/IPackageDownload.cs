namespace ImagePublish.Packages;

/// <summary>Gets the archives of packages.</summary>
internal interface IPackageDownload
{
    /// <summary>Gets them all, or fails.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6004</c>, <c>IMG6005</c>, <c>IMG6009</c>: one can not be had.</exception>
    Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken);
}
