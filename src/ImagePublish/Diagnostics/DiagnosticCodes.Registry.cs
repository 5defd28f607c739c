namespace ImagePublish.Diagnostics;

/// <content>What a registry answers, or does not.</content>
internal static partial class DiagnosticCodes
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

    /// <summary>The registry does not have it.</summary>
    public static DiagnosticCode RegistryNotFound { get; } = new("IMG4006", "The registry does not have it");

    /// <summary>The registry does not allow it.</summary>
    public static DiagnosticCode RegistryDenied { get; } = new("IMG4007", "The registry does not allow it");

    /// <summary>The registry's certificate is not trusted.</summary>
    public static DiagnosticCode CertificateUntrusted { get; } = new("IMG4008", "The registry's certificate is not trusted");

    /// <summary>Something is too large.</summary>
    public static DiagnosticCode TooLarge { get; } = new("IMG4009", "Something is too large for the registry, or from it");

    /// <summary>The tag exists and can not be moved.</summary>
    public static DiagnosticCode TagImmutable { get; } = new("IMG4010", "The tag exists and can not be moved");

    /// <summary>The registry limits the rate of requests.</summary>
    public static DiagnosticCode RateLimited { get; } = new("IMG4011", "The registry limits the rate of requests");

    /// <summary>The registry misses a blob that it had confirmed.</summary>
    public static DiagnosticCode BlobMissing { get; } = new("IMG4012", "The registry misses a blob that it had confirmed");

    /// <summary>The image is in the format of Docker's schema 1.</summary>
    public static DiagnosticCode FormatObsolete { get; } = new("IMG4013", "The image is in a format that is obsolete");

    /// <summary>The registry sends the client to an unsafe place.</summary>
    public static DiagnosticCode UnsafeRedirect { get; } = new("IMG4014", "The registry sends the client to an unsafe place");

    /// <summary>The registry does not delete.</summary>
    public static DiagnosticCode DeleteUnsupported { get; } = new("IMG4015", "The registry does not delete");

    /// <summary>The network is needed, and must not be used.</summary>
    public static DiagnosticCode NetworkNeeded { get; } = new("IMG4016", "The network is needed, and ImageOffline forbids it");

    private static DiagnosticCode[] Registry =>
        [
            RegistryUnreachable,
            RegistryRefused,
            RegistryFailed,
            RegistryProtocol,
            ContentMismatch,
            RegistryNotFound,
            RegistryDenied,
            CertificateUntrusted,
            TooLarge,
            TagImmutable,
            RateLimited,
            BlobMissing,
            FormatObsolete,
            UnsafeRedirect,
            DeleteUnsupported,
            NetworkNeeded,
        ];
}
