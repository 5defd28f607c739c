using System.Net;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>How registries are talked to. Everything is handed in: nothing is read from the environment.</summary>
internal sealed record RegistryClientOptions
{
    /// <summary>Registries that may be spoken to in plain http or with an untrusted certificate.</summary>
    public IReadOnlySet<Registry> InsecureRegistries { get; init; } = new HashSet<Registry>();

    /// <summary>Whether the registries of this machine (<c>localhost</c>, loopback addresses) count as insecure ones without being named.</summary>
    public bool TrustLoopback { get; init; } = true;

    /// <summary>A PEM file of certificate authorities that are trusted besides the system's: <c>SSL_CERT_FILE</c>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Folders laid out as Docker's <c>certs.d</c>: <c>&lt;host:port&gt;/*.crt</c> are authorities, <c>*.cert</c> with <c>*.key</c> client certificates.</summary>
    public IReadOnlyList<string> DockerCertificateFolders { get; init; } = [];

    /// <summary>Hosts of token services that are trusted with every registry's credentials although they are on another domain.</summary>
    public IReadOnlyList<string> TrustedTokenHosts { get; init; } = [];

    /// <summary>Hosts that registries may lead to, with redirects and upload locations, although they are inside this machine or network and the registry is not.</summary>
    public IReadOnlyList<string> TrustedRedirectHosts { get; init; } = [];

    /// <summary>Registries that get user names, passwords and tokens over plain http too. Those of this machine need not be named.</summary>
    public IReadOnlySet<Registry> PlainTextCredentials { get; init; } = new HashSet<Registry>();

    /// <summary>The proxies; null for none.</summary>
    public ProxySettings? Proxies { get; init; }

    /// <summary>Takes secrets out of what registries and token services say: the one of the whole build.</summary>
    public Redactor Redactor { get; init; } = new();

    /// <summary>Whether nothing may be asked of any registry: every request fails before it is sent.</summary>
    public bool Offline { get; init; }

    /// <summary>How many blobs are uploaded to, and how many are downloaded from, one registry at a time. Small requests never wait for them.</summary>
    public int ParallelBlobs { get; init; } = 4;

    /// <summary>How often a request is tried that fails for a reason that passes.</summary>
    public int MaxTries { get; init; } = 5;

    /// <summary>How many such failures one registry may have in a row before everything that goes there fails at once. Each success gives half a retry back.</summary>
    public int RetryBudget { get; init; } = 100;

    /// <summary>The first pause between two tries; it doubles with each, and varies by a quarter.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause of our own.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest pause that a registry may ask for; a longer one is cut to this.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long connecting may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connects to a host and port in place of the network: tests have no say in who listens at 80 and 443.</summary>
    internal Func<DnsEndPoint, CancellationToken, ValueTask<Stream>>? Connect { get; init; }

    /// <summary>Looks up a host's addresses in place of the system, where a registry sends us to it.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>>? Resolve { get; init; }

    /// <summary>How long to wait for the answer to <c>Expect: 100-continue</c> before a large body is sent all the same: a round trip to a distant registry.</summary>
    public TimeSpan ContinueTimeout { get; init; } = TimeSpan.FromMilliseconds(350);

    /// <summary>How long not a single byte may move. There is no limit on how long the transfer of a blob takes that moves, but for <see cref="SlowestTransfer"/>.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How long the body of a document may take: a manifest, a config, a token, a page of a list, an error.</summary>
    public TimeSpan DocumentTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How many bytes a second of a blob must come, on average over <see cref="SlowestTransferTime"/>.</summary>
    public int SlowestTransfer { get; init; } = 1000;

    /// <summary>For how long a blob may come more slowly than <see cref="SlowestTransfer"/>.</summary>
    public TimeSpan SlowestTransferTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long it may take to tidy up after a failure: to delete an upload that was begun.</summary>
    public TimeSpan TidyTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The size of the chunks in which an upload goes on that can't be done in one request, in bytes.</summary>
    public long ChunkSize { get; init; } = 8 << 20;
}
