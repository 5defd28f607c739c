using ImagePublish.Oci;

namespace ImagePublish.Packages.Model;

/// <summary>Which operating system packages an image gets, and where they come from.</summary>
internal sealed record PackageRequest
{
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>What a self-contained app needs of the system; null adds nothing.</summary>
    public RuntimeNeeds? Runtime { get; init; }

    /// <summary>The folder of the user that package lists and packages are kept in.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>The clock: package lists are asked for again after an hour.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>An apt source: a file, a line that begins with <c>deb</c>, or a paragraph that begins with <c>Types:</c>; null takes the
    /// machine's own.</summary>
    public string? Source { get; init; }

    /// <summary>Hosts, each with or without a port, that a base image's package sources may be on although they are inside this machine or
    /// network.</summary>
    public IReadOnlyList<string> TrustedSourceHosts { get; init; } = [];

    /// <summary>Exactly these packages, as a lock file says; null lets apt choose.</summary>
    public IReadOnlyList<OsPackage>? Locked { get; init; }

    /// <summary>Whether this machine has apt, which chooses packages; a lock file needs none.</summary>
    public bool HasApt { get; init; } = true;

    /// <summary>Whether nothing may be asked: then only packages that are kept can be had.</summary>
    public bool IsOffline { get; init; }

    /// <summary>Everything that is asked for, by name or pattern, in order: what a lock file must fit.</summary>
    public IReadOnlyList<string> Wanted => [.. Names.Union(Runtime?.Packages ?? []).Order(StringComparer.Ordinal)];

    public static string ArchitectureOf(Platform platform) =>
        (platform.Architecture, platform.Variant) switch
        {
            ("386", _) => "i386",
            ("arm", "v6" or "v5") => "armel",
            ("arm", _) => "armhf",
            ("ppc64le", _) => "ppc64el",
            ("loong64", _) => "loong64",
            var (architecture, _) => architecture,
        };
}

/// <summary>What an app that brings its own runtime needs of the system.</summary>
/// <param name="NeedsCultures">Whether it needs ICU, as every app does that is not globalization-invariant.</param>
/// <param name="NeedsRuntimeLibraries">Whether it needs the C++ runtime, as every app does that is not compiled ahead of time.</param>
internal sealed record RuntimeNeeds(bool NeedsCultures, bool NeedsRuntimeLibraries)
{
    /// <summary>The packages by name; one that begins with <c>^</c> is a pattern, for names with a number that changes with each
    /// release.</summary>
    internal IReadOnlyList<string> Packages =>
        [
            "libc6",
            "ca-certificates",
            "libssl3",
            "tzdata",
            .. NeedsRuntimeLibraries ? ["libgcc-s1", "libstdc++6"] : Array.Empty<string>(),
            .. NeedsCultures ? ["^libicu[0-9]+$"] : Array.Empty<string>(),
        ];
}
