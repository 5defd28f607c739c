namespace ImagePublish.Packages.Apt;

/// <summary>Gets packages that apt has chosen from where it found them.</summary>
/// <param name="tool">apt.</param>
/// <param name="guard">Says which sources may be asked.</param>
internal sealed class AptDownload(AptTool tool, SourceGuard guard) : IPackageDownload
{
    /// <inheritdoc/>
    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        await guard.CheckAsync(cancellationToken);
        var answer = await tool.DownloadAsync(packages.Select(one => (one.Package.Location!, one.File, one.Package.Digest.Hex)), cancellationToken);
        if (!answer.Succeeded)
            throw AptErrors.Of(answer);
    }
}
