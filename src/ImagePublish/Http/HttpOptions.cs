using System.Net;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Http;

/// <summary>How hosts are reached over HTTP. Everything is passed in: nothing is read from the environment.</summary>
internal record HttpOptions
{
    /// <summary>Hosts that may be reached by plain http or with an untrusted certificate.</summary>
    public IReadOnlySet<Registry> InsecureRegistries { get; init; } = new HashSet<Registry>();

    /// <summary>Whether this machine (<c>localhost</c>, loopback addresses) counts as insecure without being named.</summary>
    public bool TrustLoopback { get; init; } = true;

    /// <summary>A PEM file of certificate authorities that are trusted besides the system's: <c>SSL_CERT_FILE</c>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Folders laid out as Docker's <c>certs.d</c>: <c>&lt;host:port&gt;/*.crt</c> are authorities, <c>*.cert</c> with
    /// <c>*.key</c> client certificates.</summary>
    public IReadOnlyList<string> DockerCertificateFolders { get; init; } = [];

    /// <summary>The proxies; null for none.</summary>
    public ProxySettings? Proxies { get; init; }

    /// <summary>Removes secrets from what other hosts answer: the one of the whole build.</summary>
    public Redactor Redactor { get; init; } = new();

    /// <summary>Whether the network is off limits: every request fails before it is sent.</summary>
    public bool Offline { get; init; }

    /// <summary>How often a request is sent that fails with a transient error, the first time included.</summary>
    public int MaxTries { get; init; } = 5;

    /// <summary>How many retries one host gets before each failure there is final. Each success gives half a retry back.</summary>
    public int RetryBudget { get; init; } = 100;

    /// <summary>The delay before the first retry; it doubles with each, and varies by a quarter.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest delay that a server may ask for; a longer one is cut to this.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connects to a host and port in place of the network: tests can't choose what listens at ports 80 and 443.</summary>
    internal Func<DnsEndPoint, CancellationToken, ValueTask<Stream>>? Connect { get; init; }

    /// <summary>Resolves the names that registries send us to, in place of the system.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>>? Resolve { get; init; }

    /// <summary>How long to wait for the answer to <c>Expect: 100-continue</c> before a large body is sent all the same: a round trip to a
    /// distant host.</summary>
    public TimeSpan ContinueTimeout { get; init; } = TimeSpan.FromMilliseconds(350);

    /// <summary>How long a transfer may stand still. One that does not has no limit but <see cref="SlowestTransfer"/>.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How long the body of a document may take: a manifest, a config, a token, a page of a list, an error.</summary>
    public TimeSpan DocumentTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How many bytes a second a download must have, on average over <see cref="SlowestTransferTime"/>.</summary>
    public int SlowestTransfer { get; init; } = 1000;

    public TimeSpan SlowestTransferTime { get; init; } = TimeSpan.FromMinutes(5);
}
