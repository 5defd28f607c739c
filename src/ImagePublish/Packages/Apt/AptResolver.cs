using System.Globalization;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>Lets apt choose packages and check signatures: no code of ours would do that better.</summary>
internal sealed partial class AptResolver(AptTool tool, PackageSources sources)
{
    // The tree of folders and os-release; what it depends on is for its scripts, which are not run.
    private const string RootPackage = "base-files";

    /// <summary>Chooses packages and all that they depend on, less what is installed.</summary>
    /// <param name="names">Their names; one that begins with <c>^</c> is a pattern, and stands for the newest that fits.</param>
    /// <exception cref="ImagePublishException"><c>IMG6001</c> to <c>IMG6009</c>: what apt says.</exception>
    public async Task<IReadOnlyList<OsPackage>> ResolveAsync(
        IReadOnlyList<string> names,
        bool isWholeRoot,
        CancellationToken cancellationToken
    )
    {
        var exact = new List<string>();
        foreach (var name in names)
            exact.Add(name.StartsWith('^') ? await NewestAsync(name, cancellationToken) : name);
        var packages = Read(
            await tool.GetAsync(
                ["install", "--print-uris", "-q", "--no-install-recommends", "--no-remove", "--", .. exact],
                cancellationToken
            )
        );
        if (isWholeRoot && packages.All(package => package.Name != RootPackage))
            packages.Add(
                Read(await tool.GetAsync(["download", "--print-uris", "-qq", RootPackage], cancellationToken)) is [var root, ..]
                    ? root
                    : throw Unknown(RootPackage)
            );
        return [.. packages.OrderBy(package => package.Name, StringComparer.Ordinal)];
    }

    public async Task<string?> FindVersionAsync(string name, CancellationToken cancellationToken) =>
        (await tool.CacheAsync(["show", "--no-all-versions", "--", name], cancellationToken))
            .Output.Split('\n')
            .FirstOrDefault(line => line.StartsWith("Version: ", StringComparison.Ordinal))
            ?[9..].Trim();

    private async Task<string> NewestAsync(string pattern, CancellationToken cancellationToken)
    {
        var answer = await tool.CacheAsync(["search", "--names-only", pattern], cancellationToken);
        var names = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]);
        return names.MaxBy(name =>
            long.TryParse(name.AsSpan(name.AsSpan().TrimEnd("0123456789").Length), CultureInfo.InvariantCulture, out var number)
                ? number
                : -1
        ) ?? throw Unknown(pattern);
    }

    private List<OsPackage> Read(AptAnswer answer)
    {
        if (!answer.Succeeded)
            throw AptErrors.Explain(answer);
        var packages = new List<OsPackage>();
        foreach (var line in answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!line.StartsWith('\''))
                continue;
            var match = Line().Match(line);
            if (!match.Success || !long.TryParse(match.Groups["size"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                throw new ImagePublishException(
                    DiagnosticCodes.PackageSourceUntrusted,
                    $"A package source gives no size or SHA-256 of a package: {Text.Sanitize(line)}. Use another source."
                );
            packages.Add(
                new OsPackage(
                    match.Groups["name"].Value,
                    Uri.UnescapeDataString(match.Groups["version"].Value),
                    match.Groups["arch"].Value,
                    sources.PathOf(match.Groups["uri"].Value),
                    size,
                    Digest.Parse("sha256:" + match.Groups["hash"].Value)
                )
                {
                    Location = match.Groups["uri"].Value,
                }
            );
        }

        return packages;
    }

    private static ImagePublishException Unknown(string name) =>
        new(
            DiagnosticCodes.PackageUnknown,
            $"The package '{Text.Sanitize(name)}' does not exist in the sources. Check its name for this release and architecture."
        );

    // 'http://…/tzdata_2026a_all.deb' tzdata_2026a_all.deb 307832 SHA256:3254…
    [GeneratedRegex(
        "^'(?<uri>[^']+)' (?<name>[^_ ]+)_(?<version>[^_ ]+)_(?<arch>[^_. ]+)\\.deb (?<size>[0-9]+) SHA256:(?<hash>[0-9a-f]{64})"
    )]
    private static partial Regex Line();
}
