using System.ComponentModel;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>The result of one of apt's programs.</summary>
internal sealed record AptAnswer(bool Succeeded, string Output, string Errors)
{
    /// <summary>The addresses of a base image's sources, where those were asked: only what apt says of them, and of packages, is shown.
    /// Null where the user or this machine names the sources.</summary>
    public IReadOnlyList<string>? Shown { get; init; }
}

/// <summary>Runs apt's tools with a configuration of our own: as an ordinary user, in a private folder, without the machine's
/// hooks.</summary>
/// <param name="configuration">The configuration file, read after the machine's, whose proxies, mirrors and preferences hold.</param>
internal sealed class AptTool(string configuration, IReadOnlyList<string>? shown = null)
{
    // The download tool is beside apt's methods, at the same path on every Debian.
    private const string Helper = "/usr/lib/apt/apt-helper";

    /// <summary>Runs <c>apt-get</c>.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6006</c>: there is none.</exception>
    public Task<AptAnswer> GetAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        RunAsync("apt-get", arguments, cancellationToken);

    public Task<AptAnswer> CacheAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        RunAsync("apt-cache", arguments, cancellationToken);

    /// <summary>Downloads files with apt's own client, which knows the machine's proxies and credentials, and checks their
    /// hashes.</summary>
    public Task<AptAnswer> DownloadAsync(
        IEnumerable<(string Location, string Path, string Sha256)> files,
        CancellationToken cancellationToken
    ) =>
        RunAsync(
            Helper,
            ["download-file", "--", .. files.SelectMany(file => new[] { file.Location, file.Path, $"SHA256:{file.Sha256}" })],
            cancellationToken
        );

    internal ProgramStart StartOf(string tool, IEnumerable<string> arguments)
    {
        var program = Path.IsPathFullyQualified(tool) ? tool : Programs.Find(tool) ?? throw PackageErrors.NoApt();
        return new ProgramStart(program, ["-c", configuration, .. arguments])
        {
            Variables = new Dictionary<string, string?>
            {
                ["LC_ALL"] = "C.UTF-8",
                // It would win over the locale, and answers in another language are not understood.
                ["LANGUAGE"] = null,
                ["DEBIAN_FRONTEND"] = "noninteractive",
            },
        };
    }

    private async Task<AptAnswer> RunAsync(string tool, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            var result = await Programs.RunAsync(StartOf(tool, arguments), cancellationToken);
            return new AptAnswer(result.ExitCode == 0, result.Text, result.Errors) { Shown = shown };
        }
        catch (Win32Exception exception)
        {
            throw PackageErrors.NoApt(exception);
        }
    }
}

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
