namespace ImagePublish.Diagnostics;

/// <content>What a registry answers, or does not.</content>
public static partial class DiagnosticCodes
{
    /// <summary>The registry can not be reached.</summary>
    public static DiagnosticCode RegistryUnreachable { get; } = new("IMG4001", "The registry can not be reached");

    /// <summary>The registry refuses the request.</summary>
    public static DiagnosticCode RegistryRefused { get; } = new("IMG4002", "The registry refuses the request");

    /// <summary>The registry fails.</summary>
    public static DiagnosticCode RegistryFailed { get; } = new("IMG4003", "The registry fails");

    /// <summary>The registry answers against the specification.</summary>
    public static DiagnosticCode RegistryProtocol { get; } = new("IMG4004", "The registry answers against the specification");

    /// <summary>Content differs from its digest or size.</summary>
    public static DiagnosticCode ContentMismatch { get; } = new("IMG4005", "Content differs from its digest or size");

    private static DiagnosticCode[] Registry => [RegistryUnreachable, RegistryRefused, RegistryFailed, RegistryProtocol, ContentMismatch];
}
