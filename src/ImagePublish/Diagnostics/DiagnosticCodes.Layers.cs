namespace ImagePublish.Diagnostics;

/// <content>Files, layers and the local store.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>A path or link leaves its folder.</summary>
    public static DiagnosticCode UnsafePath { get; } = new("IMG3001", "A path or link leaves its folder");

    /// <summary>A file can not be read or changed while it was read.</summary>
    public static DiagnosticCode UnreadableFile { get; } = new("IMG3002", "A file can not be read or changed while it was read");

    /// <summary>A file can not be written.</summary>
    public static DiagnosticCode DiskFailed { get; } = new("IMG3003", "A file can not be written");

    /// <summary>A file can not be put into a layer.</summary>
    public static DiagnosticCode InvalidEntry { get; } = new("IMG3004", "A file can not be put into a layer");

    /// <summary>A layer is damaged or is not what it claims to be.</summary>
    public static DiagnosticCode LayerInvalid { get; } = new("IMG3005", "A layer is damaged or is not what it claims to be");

    private static DiagnosticCode[] Layers => [UnsafePath, UnreadableFile, DiskFailed, InvalidEntry, LayerInvalid];
}
