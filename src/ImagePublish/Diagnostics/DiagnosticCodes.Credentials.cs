namespace ImagePublish.Diagnostics;

/// <content>Signing in.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>The registry does not accept the credentials, or wants some.</summary>
    public static DiagnosticCode Unauthorized { get; } = new("IMG5001", "The registry does not accept the credentials, or wants some");

    /// <summary>Stored credentials or their helper can not be used.</summary>
    public static DiagnosticCode CredentialsUnusable { get; } = new("IMG5002", "Stored credentials or their helper can not be used");

    /// <summary>The registry sends credentials to an untrusted place.</summary>
    public static DiagnosticCode UntrustedRealm { get; } = new("IMG5003", "The registry sends credentials to an untrusted place");

    /// <summary>The cache key can not be used.</summary>
    public static DiagnosticCode CacheKeyUnusable { get; } = new("IMG5010", "The cache key can not be used");

    /// <summary>Credentials in the environment can be meant for more than one registry.</summary>
    public static DiagnosticCode CredentialsAmbiguous { get; } =
        new("IMG5011", "Credentials in the environment can be meant for more than one registry");

    /// <summary>A password would be sent in plain text.</summary>
    public static DiagnosticCode PlainTextCredentials { get; } = new("IMG5012", "A password would be sent in plain text");

    private static DiagnosticCode[] Credentials =>
        [Unauthorized, CredentialsUnusable, UntrustedRealm, CacheKeyUnusable, CredentialsAmbiguous, PlainTextCredentials];
}
