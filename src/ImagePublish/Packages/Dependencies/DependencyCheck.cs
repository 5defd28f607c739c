using System.Text.RegularExpressions;
using ImagePublish.Common;

namespace ImagePublish.Packages.Dependencies;

/// <summary>Holds what an app needs against what its image has.</summary>
internal sealed partial class DependencyCheck(DependencyCheckRequest request, AppDependencies needs, ImageInventory image)
{
    private const int MaxListed = 4;

    // A name to look for: nothing here speaks http.
    private const string HttpAssembly = "System.Net" + ".Http";

    public IReadOnlyList<string> Findings(bool isInvariant)
    {
        if (image.IsMusl && needs.Libraries.TryGetValue("libc.so.6", out var program))
            return
            [
                $"'{Text.Sanitize(program)}' is built for glibc, and the base image has musl: the app will not start. "
                    + "Publish for a runtime identifier linux-musl-…, or use a base image with glibc.",
            ];
        return [.. Libraries(), .. Runtime(isInvariant)];
    }

    // One line for each file. Packages contain variants of a library for other systems, which are never loaded here.
    private IEnumerable<string> Libraries()
    {
        var missing = needs
            .Libraries.Where(need => !image.Has(need.Key) && !need.Key.StartsWith("libc.musl-", StringComparison.Ordinal))
            .OrderBy(need => need.Key, StringComparer.Ordinal);
        foreach (var file in missing.GroupBy(need => need.Value, need => need.Key, StringComparer.Ordinal))
        {
            var packages = file.Select(LibraryPackages.Find).OfType<string>().Distinct().ToList();
            var unknown = file.Where(library => LibraryPackages.Find(library) is null).Select(Text.Sanitize).ToList();
            yield return DescribeMissing(
                $"'{Text.Sanitize(file.Key)}' needs {Listed([.. file.Select(Text.Sanitize)])}",
                packages.Count == 0 ? null : string.Join(';', packages),
                unknown.Count == 0 ? null : $"find the package of {Listed(unknown)} with 'apt-file search' and add it to ImagePackage"
            );
        }
    }

    private static string Listed(List<string> names) =>
        names.Count <= MaxListed
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MaxListed))} and {names.Count - MaxListed} more libraries";

    private IEnumerable<string> Runtime(bool isInvariant)
    {
        if (!isInvariant && !request.IsGlobalizationInvariant && !needs.IsInvariant && !image.HasAny("libicuuc.so."))
            yield return DescribeMissing(
                "The app uses cultures and needs ICU",
                IcuPackage(),
                $"{(IcuPackage() is null ? "add libicu with the number of its release, or " : "")}set "
                    + "InvariantGlobalization=true if the app needs no cultures"
            );
        if ((request.UsesAspNet || needs.Assemblies.Any(UsesCryptography)) && !image.HasAny("libssl.so."))
            yield return DescribeMissing("The app uses cryptography and needs OpenSSL", "libssl3", null);
        if (needs.Assemblies.Contains(HttpAssembly) && !image.HasAuthorities)
            yield return DescribeMissing("The app uses HttpClient and needs certificate authorities for https", "ca-certificates", null);
        if (needs.TimeZones is { } zones && !image.HasTimeZones)
            yield return DescribeMissing($"'{Text.Sanitize(zones)}' looks time zones up by name and needs their data", "tzdata", null);
        if (needs.Fonts is { } fonts && !image.HasFonts)
            yield return DescribeMissing($"'{Text.Sanitize(fonts)}' draws text and needs a font", "fonts-dejavu-core", null);
    }

    private string DescribeMissing(string need, string? package, string? other)
    {
        var canAdd = image.HasDpkg || image.OsRelease.Length == 0;
        var advice =
            package is null ? null
            : canAdd ? $"Add it: <ImagePackage Include=\"{package}\" />"
            : $"Use a base image that has it ({package} on Debian)";
        return $"{need}, which the image does not have. "
            + $"{advice ?? char.ToUpperInvariant(other![0]) + other[1..]}{(advice is null || other is null ? "" : $", or {other}")}.";
    }

    // Its number changes with each release.
    private string? IcuPackage() =>
        Release().Match(image.OsRelease).Groups[1].Value switch
        {
            "12" => "libicu72",
            "13" => "libicu76",
            "22.04" => "libicu70",
            "24.04" => "libicu74",
            _ => null,
        };

    private static bool UsesCryptography(string assembly) =>
        assembly is HttpAssembly or "System.Net.Security" || assembly.StartsWith("System.Security.Cryptography", StringComparison.Ordinal);

    [GeneratedRegex("^VERSION_ID=\"?([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex Release();
}

/// <summary>What a dependency check knows of an app, and what it may do.</summary>
internal sealed record DependencyCheckRequest
{
    /// <summary>Whether the app needs no culture data, as its project says.</summary>
    public bool IsGlobalizationInvariant { get; init; }

    public bool UsesAspNet { get; init; }

    public bool IsMusl { get; init; }

    /// <summary>Whether a base image is downloaded to see what it has; otherwise only one that is on this machine, or was read before, is
    /// looked at.</summary>
    public bool MayDownload { get; init; }
}
