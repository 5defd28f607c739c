namespace ImagePublish.Packages.Apt;

/// <summary>Gets packages that apt has chosen from where it found them.</summary>
/// <param name="tool">apt.</param>
internal sealed class AptDownload(AptTool tool) : IPackageDownload
{
    /// <inheritdoc/>
    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        var answer = await tool.DownloadAsync(packages.Select(one => (one.Package.Location!, one.File, one.Package.Digest.Hex)), cancellationToken);
        if (!answer.Succeeded)
            throw AptErrors.Of(answer);
    }
}
