using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Testing;

/// <summary>What kind of registry to start. The defaults are a correct one without sign-in.</summary>
public sealed class TestRegistryOptions
{
    /// <summary>The name in <see cref="TestRegistry.Host"/>: <c>127.0.0.1</c> or <c>localhost</c>.</summary>
    public string HostName { get; set; } = "127.0.0.1";

    /// <summary>0: a free one.</summary>
    public int Port { get; set; }

    /// <summary>
    /// https, with a certificate from an authority made for this registry: <see cref="TestRegistry.CertificateAuthority"/>.
    /// </summary>
    public bool Tls { get; set; }

    /// <summary>Names that its certificate is for besides the loopback ones.</summary>
    public IList<string> CertificateNames { get; } = [];

    /// <summary>Offers HTTP/2 beside HTTP/1.1; needs <see cref="Tls"/>.</summary>
    public bool Http2 { get; set; } = true;

    /// <summary>
    /// The only root that client certificates are trusted by, each of which must come with its chain; null: none is asked for. Needs
    /// <see cref="Tls"/>.
    /// </summary>
    public X509Certificate2? ClientAuthority { get; set; }

    /// <summary>Names <see cref="ClientAuthority"/> when it asks for a certificate. Not on Windows and macOS.</summary>
    public bool NamesClientAuthority { get; set; }

    /// <summary>
    /// Listens on a second port too, <see cref="TestRegistry.OtherHost"/>: a foreign host for token services, storage and uploads.
    /// </summary>
    public bool SecondHost { get; set; }

    /// <summary>Decides when tokens expire.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Blobs above this size are kept in a temporary file, in bytes.</summary>
    public long KeepInMemoryUpTo { get; set; } = 16 << 20;

    /// <summary>Of blobs above this size only digest and size are kept, in bytes; a GET of one answers 500.</summary>
    public long DiscardBlobsLargerThan { get; set; } = long.MaxValue;

    /// <summary>A larger request body is answered 413 in HTML without being read, as a proxy in front does, in bytes.</summary>
    public long MaxRequestBodyBytes { get; set; } = long.MaxValue;

    /// <summary>Whether <c>Expect: 100-continue</c> is answered. nginx does not over HTTP/2, and some proxies never do.</summary>
    public bool AnswersExpect { get; set; } = true;

    public AuthOptions Auth { get; } = new();

    public UploadOptions Uploads { get; } = new();

    public ContentOptions Content { get; } = new();

    /// <summary>Headers on every answer.</summary>
    public IDictionary<string, string> ResponseHeaders { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Faults from the start: how dialects act out a quirk.</summary>
    public IList<Fault> Faults { get; } = [];
}
