using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Tasks.Traces;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Traces;

/// <summary>What is sent to a collector, read as a collector reads it, and what becomes of it when there is none.</summary>
public sealed class SpanExportTests : IAsyncDisposable
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string ParentId = "b7ad6b7169203331";
    private const string Secret = "c0llect0r-t0ken-5ecret";

    private readonly Dictionary<string, string> environment = new()
    {
        ["TRACEPARENT"] = $"00-{TraceId}-{ParentId}-01",
        ["TRACESTATE"] = "vendor=1",
        // However busy the machine is.
        ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "60000",
    };

    private readonly Redactor redactor = new();
    private readonly Log log = new();
    private OtlpCollector? collector;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        SpanTrace.Enter(null);
        if (collector is not null)
            await collector.DisposeAsync();
    }

    [Theory]
    [InlineData("http/protobuf", "none")]
    [InlineData("http/json", "none")]
    [InlineData("http/protobuf", "gzip")]
    public async Task SpansArriveAsTheyWere(string protocol, string compression)
    {
        await StartCollectorAsync();
        environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol;
        environment["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression;
        environment["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment.name=ci%2Cbuild, service.name=other";
        environment["OTEL_SERVICE_NAME"] = "shop-build";
        var before = DateTime.UtcNow;

        await SendAsync(() =>
        {
            using var outer = Spans.Start("publish image");
            outer!.SetTag("text", "a").SetTag("yes", true).SetTag("count", 300).SetTag("size", -1L).SetTag("tags", new[] { "1", "2" });
            using var inner = Spans.Start("PUT", ActivityKind.Client);
            Spans.AddEvent("retry", ("attempt", 2));
            Spans.Fail(inner, new ImagePublishException(DiagnosticCodes.RegistryDenied, "alice may not."));
        });

        var outer = collector!.Spans.Single(span => span.Name == "publish image");
        var inner = collector.Spans.Single(span => span.Name == "PUT");
        Assert.Equal((TraceId, ParentId, "vendor=1"), (outer.TraceId, outer.ParentId, outer.State));
        Assert.Equal((TraceId, outer.SpanId), (inner.TraceId, inner.ParentId));
        Assert.Equal((0x301L, 0x101L), (outer.Flags, inner.Flags));
        Assert.Equal((1L, 3L), (outer.Kind, inner.Kind));
        Assert.Equal("count=300 size=-1 tags=1 2 text=a yes=True", Shown(outer.Attributes));
        Assert.Equal((0L, 2L, "IMG4007"), (outer.Status, inner.Status, inner.StatusMessage));
        Assert.Equal("error.type=IMG4007", Shown(inner.Attributes));
        Assert.Equal("retry attempt=2", inner.Events.Select(one => $"{one.Name} {Shown(one.Attributes)}").Single());
        Assert.Equal("deployment.environment.name=ci,build service.name=shop-build", Shown(outer.Resource));
        Assert.Equal("ImagePublish", outer.Scope);
        Assert.InRange(outer.Start, Nanoseconds(before), inner.Start);
        Assert.InRange(inner.End, inner.Start, outer.End);
        Assert.Equal("/v1/traces", Assert.Single(collector.Requests).Path);
    }

    [Fact]
    public async Task TheAddressOfTracesIsTakenAsItIs()
    {
        await StartCollectorAsync();
        environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = $"{collector!.Address}/ingest?v=2";

        await SendAsync(SpanOf("publish image"));

        Assert.Equal("/ingest", Assert.Single(collector.Requests).Path);
    }

    [Fact]
    public async Task HeadersAreSentAndNeverShown()
    {
        await StartCollectorAsync();
        environment["OTEL_EXPORTER_OTLP_HEADERS"] = $"authorization=Bearer%20{Secret}, x-tenant=acme";
        collector!.Answers.Enqueue((403, $"Bearer {Secret} is unknown here"));

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => SendAsync(SpanOf($"with {Secret}")));

        var headers = Assert.Single(collector.Requests).Headers;
        Assert.Equal($"Bearer {Secret}", headers.Authorization);
        Assert.Equal("acme", headers["x-tenant"]);
        Assert.Contains("answers 403", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, failure.Message + log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASpanHasNoSecretOfTheBuildInIt()
    {
        await StartCollectorAsync();
        redactor.Add(Secret);

        await SendAsync(() =>
        {
            using var span = Spans.Start($"build {Secret}");
            span!.SetTag("layer", Secret).SetTag(Secret, "x");
        });

        Assert.DoesNotContain(
            Secret,
            Assert.Single(collector!.Spans).ToString() + Shown(collector.Spans.Single().Attributes),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("a\r\nb\u202e\0", "a\\u000d\\u000ab\\u202e\\u0000")]
    [InlineData("日本 ✓ 😀", "日本 ✓ 😀")]
    public async Task AnyTextIsWritten(string hostile, string received)
    {
        await StartCollectorAsync();

        await SendAsync(SpanOf(hostile));

        Assert.Equal(received, Assert.Single(collector!.Spans).Name);
    }

    [Fact]
    public async Task HalfASurrogatePairIsWrittenVisibly()
    {
        await StartCollectorAsync();

        await SendAsync(SpanOf($"{(char)0xD800} half"));

        Assert.Equal(@"\ud800 half", Assert.Single(collector!.Spans).Name);
    }

    [Fact]
    public async Task LongTextIsCut()
    {
        await StartCollectorAsync();

        await SendAsync(SpanOf(new string('x', 1 << 20)));

        Assert.InRange(Assert.Single(collector!.Spans).Name.Length, 100, 1001);
    }

    [Fact]
    public async Task ManySpansAreSentInBatches()
    {
        await StartCollectorAsync();

        await SendAsync(() =>
        {
            for (var index = 0; index < 1200; index++)
                Spans.Start("HEAD")!.Dispose();
        });

        Assert.Equal((1200, 3), (collector!.Spans.Count, collector.Requests.Count));
    }

    [Fact]
    public async Task ACollectorThatIsBusyIsAskedAgain()
    {
        await StartCollectorAsync();
        collector!.Answers.Enqueue((503, ""));

        await SendAsync(SpanOf("publish image"));

        Assert.Single(collector.Spans);
    }

    [Fact]
    [ReliabilityCase("Traces", "nothing listens at the collector's address", "one warning names it, and the image is not affected")]
    public async Task WithoutACollectorItFailsAtOnce()
    {
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{Ports.Free()}";

        var sending = SendAsync(SpanOf("publish image")).WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => sending);

        Assert.Equal(DiagnosticCodes.SpansNotSent, failure.Code);
        Assert.Contains("The image is not affected.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Traces",
        "a collector takes the connection and does not answer",
        "a publish waits OTEL_EXPORTER_OTLP_TIMEOUT for it, once in a build"
    )]
    public async Task ASilentCollectorIsWaitedForOnceAndNotLong()
    {
        await StartCollectorAsync();
        collector!.IsSilent = true;
        environment["OTEL_EXPORTER_OTLP_TIMEOUT"] = "300";
        using var export = Open();

        Record(export, SpanOf("publish image"));
        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => export.SendAsync(log, Cancelled));
        Record(export, SpanOf("publish image"));
        await export.SendAsync(log, Cancelled);

        Assert.Contains("no answer in 300 ms", failure.Message, StringComparison.Ordinal);
        Assert.Single(collector.Requests);
    }

    [Fact]
    public async Task WithoutACallerAllSpansOfABuildAreInOneTrace()
    {
        await StartCollectorAsync();
        environment.Remove("TRACEPARENT");

        await SendAsync(() =>
        {
            Spans.Start("sign in early")!.Dispose();
            Spans.Start("publish image")!.Dispose();
        });

        Assert.All(collector!.Spans, span => Assert.Equal("", span.ParentId));
        Assert.Single(collector.Spans.Select(span => span.TraceId).Distinct());
    }

    [Theory]
    [InlineData("00", null, true)]
    [InlineData("01", null, false)]
    [InlineData("00", "always_on", false)]
    public void ATraceThatItsCallerDoesNotRecordIsNotRecordedHere(string flags, string? sampler, bool isUnsampled)
    {
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4318";
        environment["TRACEPARENT"] = $"00-{TraceId}-{ParentId}-{flags}";
        if (sampler is not null)
            environment["OTEL_TRACES_SAMPLER"] = sampler;

        Assert.Equal(isUnsampled, TraceSettings.Read(environment.GetValueOrDefault).IsUnsampled);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "expected milliseconds")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "expected an address")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://me:{Secret}@localhost:4318", "without a user name")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", Secret, "expected name=value")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", $"a b={Secret}", "expected name=value")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", $"a=%0D%0Ab:{Secret}", "expected name=value")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "=x", "expected name=value")]
    public void AVariableThatCannotBeUsedIsNamed(string name, string value, string expected)
    {
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4318";
        environment[name] = value;

        var failure = Assert.Throws<ImagePublishException>(() => TraceSettings.Read(environment.GetValueOrDefault));

        Assert.Equal(DiagnosticCodes.SpansNotSent, failure.Code);
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMalformedCallerIsNone()
    {
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4318";
        environment["TRACEPARENT"] = "00-zz-xx-01";

        var settings = TraceSettings.Read(environment.GetValueOrDefault);

        Assert.Equal(default, settings.Parent.SpanId);
        Assert.NotEqual(default, settings.Parent.TraceId);
    }

    private static Action SpanOf(string name) => () => Spans.Start(name)!.Dispose();

    private static string Shown(IReadOnlyDictionary<string, object> attributes) =>
        string.Join(
            ' ',
            attributes
                .OrderBy(one => one.Key, StringComparer.Ordinal)
                .Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Value}"))
        );

    private static ulong Nanoseconds(DateTime instant) => (ulong)(instant - DateTime.UnixEpoch).Ticks * 100;

    private async Task StartCollectorAsync()
    {
        collector = await OtlpCollector.StartAsync();
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address;
    }

    private SpanExport Open() => new(TraceSettings.Read(environment.GetValueOrDefault), new ProxySettings(null, null, null), redactor);

    private static void Record(SpanExport export, Action record)
    {
        SpanTrace.Enter(export.Trace);
        record();
        SpanTrace.Enter(null);
    }

    private async Task SendAsync(Action record)
    {
        using var export = Open();
        Record(export, record);
        await export.SendAsync(log, Cancelled);
    }

    private sealed class Log : IPublishLog
    {
        private readonly List<string> lines = [];

        public void Warning(DiagnosticCode code, string message) => lines.Add(message);

        public void Information(string message) => lines.Add(message);

        public void Detail(string message) => lines.Add(message);

        public override string ToString() => string.Join('\n', lines);
    }
}
