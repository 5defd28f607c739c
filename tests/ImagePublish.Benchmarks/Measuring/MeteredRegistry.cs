using System.Globalization;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>How the registries of a measurement are reached.</summary>
internal enum RegistryKind
{
    /// <summary>Directly, in plain http.</summary>
    Plain,

    /// <summary>Through nginx with TLS and HTTP/2, as most registries are.</summary>
    H2,

    /// <summary>The same, 100 ms away (there and back) at 20 Mbit/s.</summary>
    Slow,
}

/// <summary>
/// A real registry that tells how many requests it answered and how many bytes it was sent: its own metrics, so that nothing stands in the
/// way of the bytes.
/// </summary>
internal sealed class MeteredRegistry : IAsyncDisposable
{
    private const string UploadSizes = "registry_http_request_size_bytes_sum{handler=\"blob_upload";

    private readonly DockerRegistry registry;
    private static readonly Distance Far = new(TimeSpan.FromMilliseconds(50), 20_000_000 / 8);

    private readonly Nginx? front;
    private readonly ProxyLine? line;
    private readonly HttpClient metrics;
    private double sentBefore;
    private long storedBefore;

    private MeteredRegistry(DockerRegistry registry, Nginx? front, ProxyLine? line, int metricsPort)
    {
        (this.registry, this.front, this.line) = (registry, front, line);
        metrics = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{metricsPort}/") };
    }

    /// <summary>Where contenders find it.</summary>
    public string Host => line?.Host.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) ?? front?.Host ?? registry.Host;

    /// <summary>The time there and back; null where the registry is on this machine.</summary>
    public TimeSpan? RoundTrip => line is null ? null : Far.RoundTrip;

    /// <summary>What the front has answered since it started; empty without one.</summary>
    public IReadOnlyList<NginxRequest> Exchanges => front?.Requests ?? [];

    /// <summary>The folder of the authority that signed its certificate; null for plain http.</summary>
    public string? AuthorityFolder => Path.GetDirectoryName(front?.CertificateAuthority);

    /// <summary>The registry itself, in plain http.</summary>
    public Uri Uri => registry.Uri;

    /// <summary>What was asked since <see cref="ResetAsync"/>.</summary>
    public IEnumerable<string> Requests => registry.Requests.Select(request => request.ToString());

    /// <summary>Starts one.</summary>
    /// <param name="kind">Whether nginx with TLS and HTTP/2 is in front of it.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<MeteredRegistry> StartAsync(RegistryKind kind, CancellationToken cancellationToken)
    {
        var port = Ports.Free();
        // Continues the section `http` that the configuration ends with.
        var configuration = $"  debug:\n    addr: 127.0.0.1:{port}\n    prometheus:\n      enabled: true\n      path: /metrics";
        var registry = await DockerRegistry.StartAsync(new DockerRegistryOptions { Configuration = configuration }, cancellationToken);
        var front =
            kind != RegistryKind.Plain
                ? await Nginx.StartAsync(registry.Host, new NginxOptions { Tls = true, Http2 = true }, cancellationToken)
                : null;
        var line = kind == RegistryKind.Slow ? ProxyLine.To(front!.Host, Far) : null;
        return new MeteredRegistry(registry, front, line, port);
    }

    public Task PushAsync(BaseImage image, CancellationToken cancellationToken) => image.PushToAsync(registry, cancellationToken);

    /// <summary>Counts from here.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        registry.ForgetRequests();
        sentBefore = await SentAsync(cancellationToken);
        storedBefore = registry.StoredBytes;
    }

    /// <summary>Adds to a run what was counted since the reset.</summary>
    public async Task<Run> CountAsync(Run run, CancellationToken cancellationToken)
    {
        // The log's last line may come a moment after its answer.
        await Task.Delay(100, cancellationToken);
        // A body of undeclared length is missing in the metrics, one that was known already is missing in the storage.
        var sent = Math.Max(await SentAsync(cancellationToken) - sentBefore, registry.StoredBytes - storedBefore);
        return run with { SentBytes = (long)sent, Requests = registry.Requests.Count };
    }

    public async ValueTask DisposeAsync()
    {
        metrics.Dispose();
        if (line is not null)
            await line.DisposeAsync();
        if (front is not null)
            await front.DisposeAsync();
        await registry.DisposeAsync();
    }

    private async Task<double> SentAsync(CancellationToken cancellationToken)
    {
        var text = await metrics.GetStringAsync(new Uri("metrics", UriKind.Relative), cancellationToken);
        return text.Split('\n')
            .Where(line => line.StartsWith(UploadSizes, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
