namespace ImagePublish.Diagnostics;

/// <content>The image that an image is built on.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>The base image does not exist.</summary>
    public static DiagnosticCode BaseNotFound { get; } = new("IMG2001", "The base image does not exist");

    /// <summary>The base image does not exist for the platform.</summary>
    public static DiagnosticCode BasePlatformMissing { get; } = new("IMG2002", "The base image does not exist for the platform");

    /// <summary>The base image is damaged or is not what it claims to be.</summary>
    public static DiagnosticCode BaseInvalid { get; } = new("IMG2003", "The base image is damaged or is not what it claims to be");

    /// <summary>The base image is not in the local store, and nothing may be asked of a registry.</summary>
    public static DiagnosticCode BaseNotKept { get; } = new("IMG2004", "The base image is not in the local store");

    private static DiagnosticCode[] BaseImage => [BaseNotFound, BasePlatformMissing, BaseInvalid, BaseNotKept];
}
