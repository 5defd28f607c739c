using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Traces;

/// <summary>Whole publishes with a collector, and with one that is gone.</summary>
public sealed class TracedPublishTests(Peers peers)
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string ParentId = "b7ad6b7169203331";
    private const string Secret = "c0llect0r-t0ken-5ecret";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Traces",
        "the collector is gone, and warnings are errors",
        "the image is published; one line says that its spans were not sent"
    )]
    public async Task APublishIsInTheTraceOfItsCallerAndNeedsNoCollector()
    {
        var collector = await OtlpCollector.StartAsync();
        await using var disposed = collector;
        await using var registry = await PrivateShop.StartRegistryAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var mirror = await peers.RegistryAsync();
        var project = PrivateShop.Create(workspace);

        var first = await PublishAsync(project, registry, mirror, collector.Address);

        Assert.All(collector.Spans, span => Assert.Equal(TraceId, span.TraceId));
        Assert.Equal(
            ["publish image", "read base early", "sign in early"],
            collector.Spans.Where(span => span.ParentId == ParentId).Select(span => span.Name).Order()
        );
        var ids = collector.Spans.Select(span => span.SpanId).Append(ParentId).ToHashSet();
        Assert.All(collector.Spans, span => Assert.Contains(span.ParentId, ids));
        Assert.Equal("shop", collector.Spans.First().Resource["service.name"]);
        var publish = collector.Spans.Single(span => span.Name == "publish image");
        Assert.Equal($"{registry.Host}/acme/shop", publish.Attributes["container.image.name"]);
        Assert.Equal(registry.Content.Tags("acme/shop")["1.0"], publish.Attributes["oci.manifest.digest"]);
        Assert.All(collector.Requests, request => Assert.Equal(Secret, request.Headers["x-key"]));
        var sent = string.Join('\n', collector.Spans.SelectMany(span => span.Attributes.Values).OfType<string>());
        Assert.DoesNotContain(PrivateShop.User, sent, StringComparison.Ordinal);
        Assert.DoesNotContain(PrivateShop.Password, sent, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, first.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("IMG1160", first.Command.All, StringComparison.Ordinal);

        var gone = await PublishAsync(project, registry, mirror, $"http://127.0.0.1:{Ports.Free()}", switches: "-warnaserror");

        var line = Assert.Single(gone.Command.All.Split('\n'), text =>
            text.Contains("Could not send the spans of the publish", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("error", line, StringComparison.Ordinal);
        Assert.Contains("(unchanged)", gone.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, gone.Command.All, StringComparison.Ordinal);

        collector.Requests.Clear();
        var off = await PublishAsync(project, registry, mirror, collector.Address, exporter: "none");

        Assert.Contains("(unchanged)", off.Command.All, StringComparison.Ordinal);
        Assert.Empty(collector.Requests);
    }

    private static async Task<BuildOutput> PublishAsync(
        TestProject project,
        TestRegistry registry,
        DockerRegistry mirror,
        string endpoint,
        string exporter = "otlp",
        params string[] switches
    )
    {
        var command = PrivateShop.Publish(
            project,
            registry,
            mirror,
            switches,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", $"x-key={Secret}"),
            // However busy the machine is.
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
            ("OTEL_SERVICE_NAME", "shop"),
            ("OTEL_TRACES_EXPORTER", exporter),
            ("TRACEPARENT", $"00-{TraceId}-{ParentId}-01")
        );
        return (await project.RunAsync(command, Cancelled)).EnsureSuccess();
    }
}
