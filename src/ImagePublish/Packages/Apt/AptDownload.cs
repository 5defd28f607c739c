namespace ImagePublish.Packages.Apt;

/// <summary>Gets packages that apt has chosen from where it found them.</summary>
internal sealed class AptDownload(AptTool tool, SourceGuard guard) : IPackageDownload
{
    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        await guard.CheckAsync(cancellationToken);
        var answer = await tool.DownloadAsync(
            packages.Select(one => (one.Package.Location!, one.File, one.Package.Digest.Hex)),
            cancellationToken
        );
        if (!answer.Succeeded)
            throw AptErrors.Explain(answer);
    }
}
