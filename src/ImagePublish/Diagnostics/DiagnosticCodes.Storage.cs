namespace ImagePublish.Diagnostics;

/// <content>The local store, its caches and archives.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>The local store can not be read or written.</summary>
    public static DiagnosticCode StoreFailed { get; } = new("IMG3101", "The local store can not be read or written");

    /// <summary>The local store is locked by another process.</summary>
    public static DiagnosticCode StoreBusy { get; } = new("IMG3102", "The local store is locked by another process");

    /// <summary>The local store is damaged.</summary>
    public static DiagnosticCode StoreDamaged { get; } = new("IMG3103", "The local store is damaged");

    /// <summary>An image lacks content in the local store.</summary>
    public static DiagnosticCode StoreIncomplete { get; } = new("IMG3104", "An image lacks content in the local store");

    /// <summary>The image is not in the local store.</summary>
    public static DiagnosticCode NotInStore { get; } = new("IMG3105", "The image is not in the local store");

    /// <summary>The archive or layout is no image, or is damaged.</summary>
    public static DiagnosticCode ArchiveInvalid { get; } = new("IMG3106", "The archive or layout is no image, or is damaged");

    /// <summary>An archive can not be read or written.</summary>
    public static DiagnosticCode ArchiveFailed { get; } = new("IMG3107", "An archive can not be read or written");

    /// <summary>Docker or podman can not be used.</summary>
    public static DiagnosticCode EngineFailed { get; } = new("IMG3108", "Docker or podman can not be used");

    /// <summary>Docker does not have the image.</summary>
    public static DiagnosticCode NotInEngine { get; } = new("IMG3109", "Docker does not have the image");

    /// <summary>Another process keeps locked what is needed.</summary>
    public static DiagnosticCode Locked { get; } = new("IMG3110", "Another process keeps locked what is needed");

    /// <summary>An archive inflates to too much.</summary>
    public static DiagnosticCode ArchiveTooLarge { get; } = new("IMG3111", "An archive inflates to too much");

    /// <summary>Other users can change the local store, or the package cache.</summary>
    public static DiagnosticCode StoreForeign { get; } = new("IMG3112", "Other users can change the local store or the package cache");

    private static DiagnosticCode[] Storage =>
        [
            StoreFailed,
            StoreBusy,
            StoreDamaged,
            StoreIncomplete,
            NotInStore,
            ArchiveInvalid,
            ArchiveFailed,
            EngineFailed,
            NotInEngine,
            Locked,
            ArchiveTooLarge,
            StoreForeign,
        ];
}
