using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Compression;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;

namespace ImagePublish.Tasks.Traces;

/// <summary>Collects the spans of a build in this process, and sends those that have ended when a publish is over.</summary>
/// <remarks>Nothing depends on it: what goes wrong is reported once, and then no more is sent in this build.</remarks>
internal sealed class SpanExport : IDisposable
{
    // A publish of a hundred layers has about a thousand.
    private const int MaxKept = 20_000;
    private const int BatchSize = 512;
    private const int MaxText = 1000;

    private readonly TraceSettings settings;
    private readonly Transport transport;
    private readonly Redactor redactor;
    private readonly ActivityListener listener;
    private readonly ConcurrentQueue<Activity> ended = new();
    private volatile bool isBroken;

    public SpanExport(TraceSettings settings, ProxySettings proxies, Redactor redactor)
    {
        (this.settings, this.redactor) = (settings, redactor);
        foreach (var (_, value) in settings.Headers)
            AddSecrets(value);
        transport = new Transport(OptionsFor(settings, proxies, redactor), TimeProvider.System);
        Trace = new SpanTrace(settings.Parent);
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            // Other builds in this process have traces of their own.
            Sample = (ref _) => SpanTrace.Current == Trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = Keep,
        };
        ActivitySource.AddActivityListener(listener);
    }

    public SpanTrace Trace { get; }

    /// <summary>Sends the spans that have ended.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1160</c>: they can't be sent. Later calls do nothing.</exception>
    public async Task SendAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (isBroken)
            return;
        using var limit = new CancellationTokenSource(settings.Timeout);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var service = new ServiceClient(transport, new RetryPolicy(transport.Options, new DetailLog(log), TimeProvider.System));
            while (TakeBatch() is { Count: > 0 } batch)
            {
                var answer = await service.SendAsync(CreateRequest(batch), linked.Token);
                log.Detail($"{batch.Count} spans were sent to {settings.Endpoint}, which answered {(int)answer.Status}.");
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            isBroken = true;
            ended.Clear();
            throw exception as ImagePublishException ?? Failed(exception);
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        transport.Dispose();
    }

    private static HttpOptions OptionsFor(TraceSettings settings, ProxySettings proxies, Redactor redactor) =>
        new()
        {
            // A collector beside the build has no certificate. The address says so, unlike that of a registry.
            InsecureRegistries =
                !settings.Endpoint.IsHttps && Registry.TryParse(settings.Endpoint.Authority, out var host)
                    ? new HashSet<Registry> { host }
                    : new HashSet<Registry>(),
            CertificateFile = settings.CertificateFile,
            Proxies = proxies,
            Redactor = redactor,
            MaxTries = 2,
            FirstRetryDelay = TimeSpan.FromMilliseconds(200),
            MaxRetryAfter = TimeSpan.FromSeconds(1),
        };

    // Such as "Bearer abc": the token alone is as secret.
    private void AddSecrets(string header)
    {
        redactor.Add(header);
        redactor.Add(header[(header.LastIndexOf(' ') + 1)..]);
    }

    private void Keep(Activity span)
    {
        if (!isBroken && ended.Count < MaxKept)
            ended.Enqueue(span);
    }

    private List<Activity> TakeBatch()
    {
        var batch = new List<Activity>();
        while (batch.Count < BatchSize && ended.TryDequeue(out var span))
            batch.Add(span);
        return batch;
    }

    private ServiceRequest CreateRequest(List<Activity> batch)
    {
        using IOtlpWriter writer = settings.IsJson ? new OtlpJsonWriter() : new OtlpProtobufWriter();
        var body = new OtlpDocument(writer, Clean).Write(settings.Resource, batch);
        return new ServiceRequest("send the spans of the publish", HttpMethod.Post, settings.Endpoint)
        {
            Body = settings.IsCompressed ? Compress(body) : body,
            BodyType = writer.MediaType,
            BodyEncoding = settings.IsCompressed ? "gzip" : null,
            Accept = writer.MediaType,
            Headers = settings.Headers,
            Code = DiagnosticCodes.SpansNotSent,
            Advice = $"The image is not affected. Start the collector, or correct or remove {TraceSwitch.Endpoint}.",
        };
    }

    private string Clean(string text) => Text.Shortened(redactor.RedactMessage(text), MaxText);

    private static byte[] Compress(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }

    private ImagePublishException Failed(Exception exception)
    {
        var reason =
            exception is OperationCanceledException
                ? $"there was no answer in {settings.Timeout.TotalMilliseconds:0} ms"
                : $"{exception.GetType().Name}: {Text.Sanitize(exception.Message)}";
        return ServiceClient.Fail(CreateRequest([]), reason, exception);
    }

    /// <summary>A retry is of interest to nobody who does not look for it.</summary>
    private sealed class DetailLog(IPublishLog log) : IPublishLog
    {
        public void Warning(DiagnosticCode code, string message) => log.Detail(message);

        public void Information(string message) => log.Detail(message);

        public void Detail(string message) => log.Detail(message);
    }
}
