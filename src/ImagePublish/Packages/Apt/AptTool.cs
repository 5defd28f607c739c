using System.ComponentModel;
using System.Text.RegularExpressions;
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
internal sealed partial class AptTool(string configuration, IReadOnlyList<string>? shown = null)
{
    // The download tool is beside apt's methods, at the same path on every Debian.
    private const string Helper = "/usr/lib/apt/apt-helper";

    // What decides how apt connects, where the machine has a proxy. DIRECT and nothing at all are no proxy.
    private static readonly string[] ProxyVariables = ["http_proxy", "https_proxy", "all_proxy"];

    /// <summary>Gets the newest indexes of the sources.</summary>
    public Task<AptAnswer> UpdateAsync(SourceGuard guard, CancellationToken cancellationToken) =>
        RunGuardedAsync("apt-get", ["update", "-q"], guard, cancellationToken);

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
        SourceGuard guard,
        CancellationToken cancellationToken
    ) =>
        RunGuardedAsync(
            Helper,
            ["download-file", "--", .. files.SelectMany(file => new[] { file.Location, file.Path, $"SHA256:{file.Sha256}" })],
            guard,
            cancellationToken
        );

    // A proxy of the machine decides itself which hosts it reaches.
    private async Task<AptAnswer> RunGuardedAsync(
        string tool,
        IReadOnlyList<string> arguments,
        SourceGuard guard,
        CancellationToken cancellationToken
    )
    {
        await guard.CheckAsync(cancellationToken);
        if (!guard.IsNeeded || await HasProxyAsync(cancellationToken))
            return await RunAsync(tool, arguments, cancellationToken);
        await using var proxy = new SourceProxy(guard);
        // What the machine says of one host comes before what it says of all.
        string[] names = ["", .. guard.Hosts.Select(host => $"::{host.Host}")];
        var options = names
            .SelectMany(name => new[] { $"Acquire::http::Proxy{name}={proxy.Address}", $"Acquire::https::Proxy{name}={proxy.Address}" })
            .SelectMany(option => new[] { "-o", option });
        var answer = await RunAsync(tool, [.. options, .. arguments], cancellationToken, new() { ["no_proxy"] = null });
        return proxy.Refusal is { } refusal ? throw refusal : answer;
    }

    private async Task<bool> HasProxyAsync(CancellationToken cancellationToken)
    {
        var start = StartOf("apt-config", ["dump"]);
        var environment = Programs.EnvironmentOf(start);
        if (ProxyVariables.Any(name => environment.GetValueOrDefault(name) is { Length: > 0 }))
            return true;
        var answer = await RunAsync("apt-config", ["dump"], cancellationToken);
        return !answer.Succeeded || Proxy().IsMatch(answer.Output);
    }

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

    private async Task<AptAnswer> RunAsync(
        string tool,
        IEnumerable<string> arguments,
        CancellationToken cancellationToken,
        Dictionary<string, string?>? variables = null
    )
    {
        try
        {
            var start = StartOf(tool, arguments);
            if (variables is not null)
                start = start with { Variables = start.Variables.Concat(variables).ToDictionary() };
            var result = await Programs.RunAsync(start, cancellationToken);
            return new AptAnswer(result.ExitCode == 0, result.Text, result.Errors) { Shown = shown };
        }
        catch (Win32Exception exception)
        {
            throw PackageErrors.NoApt(exception);
        }
    }

    [GeneratedRegex("""^Acquire::https?::(Proxy(::.+)?|Proxy-Auto-Detect|ProxyAutoDetect) "(?!DIRECT"|").*";""", RegexOptions.Multiline)]
    private static partial Regex Proxy();
}

/// <summary>Gets packages that apt has chosen from where it found them.</summary>
internal sealed class AptDownload(AptTool tool, SourceGuard guard) : IPackageDownload
{
    public async Task GetAsync(IReadOnlyList<(OsPackage Package, string File)> packages, CancellationToken cancellationToken)
    {
        var answer = await tool.DownloadAsync(
            packages.Select(one => (one.Package.Location!, one.File, one.Package.Digest.Hex)),
            guard,
            cancellationToken
        );
        if (!answer.Succeeded)
            throw AptErrors.Explain(answer);
    }
}
