namespace ImagePublish.Diagnostics;

/// <summary>Every code of the core and the tasks, one file for each range.</summary>
internal static partial class DiagnosticCodes
{
    /// <summary>All codes, in order.</summary>
    public static IReadOnlyList<DiagnosticCode> All =>
        [.. Input, .. BaseImage, .. Layers, .. Storage, .. Registry, .. Credentials, .. Packages, Unexpected];
}
