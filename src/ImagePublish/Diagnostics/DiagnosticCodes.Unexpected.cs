namespace ImagePublish.Diagnostics;

/// <content>Faults of this package.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>Something failed that nobody expected.</summary>
    public static DiagnosticCode Unexpected { get; } = new("IMG9001", "Something failed unexpectedly");
}
