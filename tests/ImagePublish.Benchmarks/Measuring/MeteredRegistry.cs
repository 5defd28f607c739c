using System.Globalization;
using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>A real registry that tells how many requests it answered and how many bytes it was sent: its own metrics, so that nothing stands in the way of the bytes.</summary>
internal sealed class MeteredRegistry : IAsyncDisposable
{
    private const string UploadSizes = "registry_http_request_size_bytes_sum{handler=\"blob_upload";

    private readonly DockerRegistry registry;
    private readonly HttpClient metrics;
    private double sentBefore;
    private long storedBefore;

    private MeteredRegistry(DockerRegistry registry, int metricsPort)
    {
        this.registry = registry;
        metrics = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{metricsPort}/") };
    }

    public string Host => registry.Host;

    public Uri Uri => registry.Uri;

    /// <summary>What was asked since <see cref="ResetAsync"/>.</summary>
    public IEnumerable<string> Requests => registry.Requests.Select(request => request.ToString());

    public static async Task<MeteredRegistry> StartAsync(CancellationToken cancellationToken)
    {
        var port = Ports.Free();
        // Continues the section `http` that the configuration ends with.
        var configuration = $"  debug:\n    addr: 127.0.0.1:{port}\n    prometheus:\n      enabled: true\n      path: /metrics";
        return new MeteredRegistry(await DockerRegistry.StartAsync(new DockerRegistryOptions { Configuration = configuration }, cancellationToken), port);
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

    public ValueTask DisposeAsync()
    {
        metrics.Dispose();
        return registry.DisposeAsync();
    }

    private async Task<double> SentAsync(CancellationToken cancellationToken)
    {
        var text = await metrics.GetStringAsync(new Uri("metrics", UriKind.Relative), cancellationToken);
        return text.Split('\n')
            .Where(line => line.StartsWith(UploadSizes, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
