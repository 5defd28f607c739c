using System.Collections.Concurrent;
using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>The spans of a publish: their tree, what they say, and what they do not.</summary>
public sealed class SpansTests : IDisposable
{
    private const string Caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly SpanTrace trace = new(ActivityContext.Parse(Caller, "vendor=1"));
    private readonly ConcurrentQueue<Activity> ended = new();
    private readonly ActivityListener listener;

    public SpansTests()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            Sample = (ref _) => SpanTrace.Current == trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        SpanTrace.Enter(trace);
    }

    public void Dispose()
    {
        SpanTrace.Enter(null);
        listener.Dispose();
    }

    [Fact]
    public async Task AFirstPushHasASpanForEachStepLayerBlobAndRequest()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1.0", "latest"));

        var publish = Assert.Single(ended, span => span.ParentSpanId.ToHexString() == "b7ad6b7169203331");
        Assert.Equal("publish image", publish.DisplayName);
        Assert.Equal("vendor=1", publish.TraceStateString);
        Assert.All(ended, span => Assert.Equal("0af7651916cd43dd8448eb211c80319c", span.TraceId.ToHexString()));
        Assert.Equal(
            [
                "attach and sign",
                "build and upload",
                "check dependencies",
                "check up to date",
                "commit manifests",
                "commit tags",
                "find layer",
                "plan layers",
                "resolve base",
                "transfer blob",
            ],
            [.. Below(publish).Where(span => span.Kind == ActivityKind.Internal).Select(span => span.DisplayName).Distinct().Order()]
        );
        var building = Named("build and upload");
        Assert.Equal(
            ["app", "packages", "static"],
            [
                .. Below(building)
                    .Where(span => span.DisplayName == "build layer")
                    .Select(span => Tag(span, "imagepublish.layer.name"))
                    .Order(),
            ]
        );
        var blobs = ended.Where(span => span.DisplayName == "transfer blob").ToList();
        Assert.Equal(
            result
                .Image.Layers.Select(layer => layer.Descriptor.Digest.Value)
                .Append(result.Image.ConfigBlob.Descriptor.Digest.Value)
                .Order(),
            blobs.Select(span => Tag(span, "imagepublish.blob.digest")).Order()
        );
        Assert.Contains(blobs, span => Tag(span, "imagepublish.blob.transfer") == "mounted");
        Assert.Contains(blobs, span => Tag(span, "imagepublish.blob.transfer") == "uploaded");
        Assert.Equal(bench.Server.Requests.Count, ended.Count(span => span.Kind == ActivityKind.Client));
        Assert.DoesNotContain(ended, span => span.Status == ActivityStatusCode.Error);
    }

    [Fact]
    public async Task ThePublishSaysWhatItMadeAndMoved()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1.0", "latest"));

        var publish = Named("publish image");
        Assert.Equal($"{bench.Server.Host}/acme/shop", Tag(publish, "container.image.name"));
        Assert.Equal(["1.0", "latest"], (string[])publish.GetTagItem("container.image.tags")!);
        Assert.Equal("linux/amd64", Tag(publish, "imagepublish.platform"));
        Assert.Equal(result.Image.Digest.Value, Tag(publish, "oci.manifest.digest"));
        Assert.Equal(false, publish.GetTagItem("imagepublish.unchanged"));
        Assert.Equal(result.Deliveries[0].Transfer.UploadedBytes, publish.GetTagItem("imagepublish.uploaded_bytes"));
        Assert.Equal(result.Deliveries[0].Transfer.MountedBytes, publish.GetTagItem("imagepublish.mounted_bytes"));
        Assert.Equal($"{bench.Server.Host}/dotnet/aspnet:10.0", Tag(Named("resolve base"), "container.image.name"));
    }

    [Fact]
    public async Task APublishThatChangesNothingHasTheCheckAndItsRequests()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        ended.Clear();

        await bench.PublishAsync(bench.Request("1.0"));

        Assert.Equal(
            ["HEAD", "HEAD", "check up to date", "publish image"],
            ended.Select(span => span.DisplayName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(true, Named("publish image").GetTagItem("imagepublish.unchanged"));
        Assert.All(ended.Where(span => span.Kind == ActivityKind.Client), span => Assert.Same(Named("check up to date"), span.Parent));
    }

    [Fact]
    public async Task AFailureHasItsCodeAndNothingThatTheRegistrySaid()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.Faults.Add(
            RegistryStep.ManifestPut,
            FaultAction.Status(403, """{"errors":[{"code":"DENIED","message":"ghp_secret of alice"}]}""")
        );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(bench.Request("1.0")));

        foreach (var span in new[] { Named("publish image"), Named("commit manifests") })
        {
            Assert.Equal(ActivityStatusCode.Error, span.Status);
            Assert.Equal(failure.Code.Id, span.StatusDescription);
            Assert.Equal(failure.Code.Id, Tag(span, "error.type"));
        }

        Assert.Contains(ended, span =>
            span.DisplayName == "PUT" && Tag(span, "error.type") == "403" && span.Status == ActivityStatusCode.Error
        );
        Assert.DoesNotContain(ended.SelectMany(Texts), text => text.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARequestHasItsAddressWithoutWhatMayBeSecret()
    {
        await using var bench = await PublishingBench.StartAsync();

        await bench.PublishAsync(bench.Request("1.0"));

        var requests = ended.Where(span => span.Kind == ActivityKind.Client).ToList();
        Assert.All(requests, span => Assert.StartsWith($"http://{bench.Server.Host}/v2/", Tag(span, "url.full"), StringComparison.Ordinal));
        Assert.All(requests, span => Assert.Equal(span.DisplayName, Tag(span, "http.request.method")));
        Assert.All(requests, span => Assert.IsType<int>(span.GetTagItem("http.response.status_code")));
        Assert.All(requests, span => Assert.Equal(new Uri($"http://{bench.Server.Host}").Port, span.GetTagItem("server.port")));
        Assert.DoesNotContain(requests.SelectMany(Texts), text => text.Contains('?', StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARetryIsAnEventOfItsStep()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.Faults.Add(RegistryStep.ManifestPut, FaultAction.Status(503));

        await bench.PublishAsync(bench.Request("1.0"));

        var retry = Assert.Single(ended.SelectMany(span => span.Events));
        Assert.Equal("retry", retry.Name);
        Assert.Equal("503", retry.Tags.Single(tag => tag.Key == "error.type").Value);
        Assert.Equal(2, retry.Tags.Single(tag => tag.Key == "imagepublish.retry.attempt").Value);
        Assert.Equal(
            2,
            ended.Count(span =>
                span.DisplayName == "PUT" && Tag(span, "url.full")!.Contains("/manifests/sha256:", StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task AnotherTraceOfThisProcessHasSpansOfItsOwn()
    {
        await using var bench = await PublishingBench.StartAsync();
        SpanTrace.Enter(new SpanTrace(default));

        await bench.PublishAsync(bench.Request("1.0"));

        Assert.Empty(ended);
    }

    [Fact]
    public async Task ThePlansSpanIsNamedSo()
    {
        await using var bench = await PublishingBench.StartAsync();

        await bench.PlanAsync(bench.Request("1.0"));

        Assert.Single(ended, span => span.DisplayName == "plan image");
        Assert.DoesNotContain(ended, span => span.DisplayName == "publish image");
    }

    private static string? Tag(Activity span, string key) => (string?)span.GetTagItem(key);

    private static IEnumerable<string> Texts(Activity span) =>
        span.TagObjects.Select(tag => tag.Value).OfType<string>().Append(span.DisplayName).Append(span.StatusDescription ?? "");

    private Activity Named(string name) => Assert.Single(ended, span => span.DisplayName == name);

    private IEnumerable<Activity> Below(Activity parent) => ended.Where(span => span.ParentSpanId == parent.SpanId);
}
