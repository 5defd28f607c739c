namespace ImagePublish.Diagnostics;

/// <content>Operating system packages.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>An operating system package does not exist.</summary>
    public static DiagnosticCode PackageUnknown { get; } = new("IMG6001", "An operating system package does not exist");

    /// <summary>Operating system packages can not be installed together.</summary>
    public static DiagnosticCode PackageConflict { get; } = new("IMG6002", "Operating system packages can not be installed together");

    /// <summary>A package source is not signed by a trusted key.</summary>
    public static DiagnosticCode PackageSourceUntrusted { get; } = new("IMG6003", "A package source is not signed by a trusted key");

    /// <summary>A package differs from its hash.</summary>
    public static DiagnosticCode PackageTampered { get; } = new("IMG6004", "A package differs from its hash");

    /// <summary>A package is gone from its source.</summary>
    public static DiagnosticCode PackageGone { get; } = new("IMG6005", "A package is gone from its source");

    /// <summary>Packages can not be chosen, since there is no apt.</summary>
    public static DiagnosticCode PackageToolMissing { get; } = new("IMG6006", "Packages can not be chosen, since there is no apt");

    /// <summary>The base image takes no packages.</summary>
    public static DiagnosticCode PackageBaseUnsupported { get; } = new("IMG6007", "The base image takes no packages");

    /// <summary>A package is damaged or holds what an image may not.</summary>
    public static DiagnosticCode PackageInvalid { get; } = new("IMG6008", "A package is damaged or holds what an image may not");

    /// <summary>A package source can not be read.</summary>
    public static DiagnosticCode PackageSourceFailed { get; } = new("IMG6009", "A package source can not be read");

    /// <summary>The lock file does not fit the project.</summary>
    public static DiagnosticCode PackageLockOutdated { get; } =
        new("IMG6010", "The lock file is missing, damaged or does not fit the project");

    /// <summary>The image lacks a library that the app needs.</summary>
    public static DiagnosticCode LibraryMissing { get; } = new("IMG6011", "The image lacks a library that the app needs");

    /// <summary>A package source of the base image is refused.</summary>
    public static DiagnosticCode PackageSourceRefused { get; } = new("IMG6012", "A package source of the base image is refused");

    private static DiagnosticCode[] Packages =>
        [
            PackageUnknown,
            PackageConflict,
            PackageSourceUntrusted,
            PackageTampered,
            PackageGone,
            PackageToolMissing,
            PackageBaseUnsupported,
            PackageInvalid,
            PackageSourceFailed,
            PackageLockOutdated,
            LibraryMissing,
            PackageSourceRefused,
        ];
}
