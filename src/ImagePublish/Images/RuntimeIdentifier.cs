using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>A .NET runtime identifier, as far as images care: <c>linux-musl-arm64</c>.</summary>
/// <remarks><see href="https://learn.microsoft.com/dotnet/core/rid-catalog">The RID catalog</see>.</remarks>
internal sealed record RuntimeIdentifier(string Value, Platform Platform, bool IsMusl)
{
    private static readonly string[] SystemsWithoutImages =
    [
        "osx",
        "ios",
        "tvos",
        "maccatalyst",
        "android",
        "browser",
        "wasi",
        "freebsd",
        "illumos",
        "solaris",
        "haiku",
        "tizen",
    ];

    /// <summary>Reads a runtime identifier.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1003</c>: no image can be made for it.</exception>
    public static RuntimeIdentifier Parse(string text) =>
        TryParse(text)
        ?? throw new ImagePublishException(
            DiagnosticCodes.InvalidPlatform,
            $"No image can be made for the runtime identifier '{Text.Sanitize(text)}': expected linux or win and an "
                + $"architecture, such as linux-x64, linux-musl-arm64 or win-x64."
        );

    /// <summary>Reads a runtime identifier; null where no image can be made for it.</summary>
    public static RuntimeIdentifier? TryParse(string text)
    {
        var parts = text.Split('-');
        var platform = parts.Length >= 2 && OperatingSystemOf(parts[0]) is { } os ? Architecture(os, parts[^1]) : null;
        return platform is null ? null : new RuntimeIdentifier(text, platform, IsMuslName(parts));
    }

    /// <summary>
    /// Whether what a package brings for a runtime identifier is of no use on a platform. What has an unknown name may be of use.
    /// </summary>
    public static bool IsForeign(string text, Platform platform)
    {
        var parts = text.Split('-');
        if (SystemsWithoutImages.Any(system => parts[0].StartsWith(system, StringComparison.Ordinal)) || parts.Contains("bionic"))
            return true;
        return OperatingSystemOf(parts[0]) is { } os
            && (os != platform.Os || (Architecture(os, parts[^1]) is { } built && built.Architecture != platform.Architecture));
    }

    public override string ToString() => Value;

    private static bool IsMuslName(string[] parts) => parts.Contains("musl") || parts[0].StartsWith("alpine", StringComparison.Ordinal);

    private static string? OperatingSystemOf(string name)
    {
        if (name.StartsWith("win", StringComparison.Ordinal))
            return "windows";
        string[] linux =
        [
            "linux",
            "alpine",
            "debian",
            "ubuntu",
            "rhel",
            "fedora",
            "centos",
            "ol",
            "sles",
            "opensuse",
            "azurelinux",
            "unix",
        ];
        return linux.Any(family => name.StartsWith(family, StringComparison.Ordinal)) ? "linux" : null;
    }

    private static Platform? Architecture(string os, string name) =>
        name switch
        {
            "x64" => new Platform(os, "amd64"),
            "x86" => new Platform(os, "386"),
            "arm64" => new Platform(os, "arm64"),
            "arm" => new Platform(os, "arm") { Variant = "v7" },
            "armel" => new Platform(os, "arm") { Variant = "v6" },
            "ppc64le" or "s390x" or "riscv64" or "loongarch64" => new Platform(os, name == "loongarch64" ? "loong64" : name),
            _ => null,
        };
}
