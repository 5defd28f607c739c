namespace ImagePublish.Diagnostics;

/// <content>Operating system packages.</content>
public static partial class DiagnosticCodes
{
    private static DiagnosticCode[] Packages => [];
}
