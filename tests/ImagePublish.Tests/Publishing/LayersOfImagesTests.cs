using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting.Page;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>All layers of another image on top of the base: mounted or streamed, and never unpacked.</summary>
public sealed class LayersOfImagesTests
{
    private static readonly byte[][] Agent =
    [
        TreeLayer.Create("d 700 7:8 opt/agent", "f 755 7:8 opt/agent/run one"),
        TreeLayer.Create("f 644 0:0 etc/.wh.base", "f 755 0:0 opt/agent/more two"),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheLayersAreMountedAsTheyAre()
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench));

        var agent = result.Image.Layers.Skip(1).Take(2).Select(layer => layer.Descriptor.Digest.Value);
        Assert.Equal(Agent.Select(layer => Digest.Compute(layer).Value), agent);
        Assert.Equal(["base", NameOf(bench), NameOf(bench)], result.LayerNames.Take(3));
        // The base's layer and two of the agent.
        Assert.Equal(3, bench.Moved(RegistryStep.MountPost));
        Assert.All(bench.Server.Requests.Of(RegistryStep.MountPost), request => Assert.Equal(201, request.Status));
        // The app's three layers and the config.
        Assert.Equal(result.Image.Layers.Count - 3 + 1, bench.Moved(RegistryStep.UploadPut));
        Assert.Single(bench.Server.Requests.Of(RegistryStep.ManifestPut), request => request.Reference == "1.0");
        // Configs, and no layer.
        Assert.Equal(2, bench.Moved(RegistryStep.BlobGet));
    }

    [Fact]
    public async Task TheConfigHasTheirDiffIdsAndTheirHistory()
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench));

        var config = result.Image.Config;
        Assert.Equal(result.Image.Layers.Select(layer => layer.DiffId), config.RootFs.DiffIds);
        Assert.Equal(
            [("run", $"layer of {NameOf(bench)}"), ("more", $"layer of {NameOf(bench)}")],
            config.History!.Skip(1).Take(2).Select(entry => (entry.CreatedBy, entry.Comment))
        );
        Assert.Equal(config.RootFs.DiffIds.Count, config.History!.Count);
        // The rest of its config is not taken, and the base stays the base.
        Assert.DoesNotContain("AGENT=1", config.Config!.Env!);
        Assert.Equal(["dotnet", "/app/App.dll"], config.Config.Entrypoint);
        Assert.Null(ImageComposer.LayerNames(config)[1]);
    }

    [Fact]
    public async Task WhatBothImagesBeginWithIsNotRepeated()
    {
        await using var bench = await StartAsync();
        bench.Server.SeedImage("acme/agent", "1", [Seeding.LayerOf(("etc/base", "amd64")), .. Agent], Seeding.ConfigOf("amd64"));

        var result = await bench.PublishAsync(Request(bench));

        Assert.Equal(["base", NameOf(bench), NameOf(bench)], result.LayerNames.Take(3));
        Assert.Equal(result.Image.Layers.Count, result.Image.Layers.Select(layer => layer.DiffId).Distinct().Count());
    }

    [Fact]
    public async Task AnImageThatIsNamedTwiceIsTakenOnce()
    {
        await using var bench = await StartAsync();
        var layers = Request(bench).OtherImages.Layers[0];

        var result = await bench.PublishAsync(Request(bench) with { OtherImages = new OtherImages([], [layers, layers]) });

        Assert.Equal(2, result.LayerNames.Count(name => name == NameOf(bench)));
    }

    [Fact]
    public async Task FilesOfTheirsAreThereForWhatIsPutOnTop()
    {
        await using var bench = await StartAsync();
        var added = new AddedEntry(new ItemSource("ImageDirectory", "/opt/agent", null), LayerEntryKind.Directory, "opt/agent")
        {
            Owner = FileOwner.Create(1, 1),
        };

        var result = await bench.PublishAsync(Request(bench) with { Added = [added] });

        var layer = result.Image.Layers[result.LayerNames.ToList().IndexOf("files")];
        var blob = bench.Server.Content.Blob("acme/shop", layer.Descriptor.Digest.Value)!;
        Assert.Equal(["d 700 1:1 opt/agent"], await TreeLayer.ReadAsync(blob, Cancel));
    }

    [Fact]
    public async Task AnUnchangedPublishAsksWhereTheTagPointsAndAMovedOneGivesANewImage()
    {
        await using var bench = await StartAsync();
        var first = await bench.PublishAsync(Request(bench));

        var second = await bench.PublishAsync(Request(bench));
        var (requests, heads) = (bench.Server.Requests.Count, bench.Moved(RegistryStep.ManifestHead));
        Seed(bench, [Agent[0]]);
        var plan = await bench.PlanAsync(Request(bench));
        var third = await bench.PublishAsync(Request(bench));

        Assert.True(second.IsUnchanged);
        Assert.Equal((3, 3), (requests, heads));
        Assert.False(third.IsUnchanged);
        Assert.NotEqual(first.Image.Digest, third.Image.Digest);
        Assert.Equal(plan.Result.Image.Digest, third.Image.Digest);
        Assert.Equal(
            [(NameOf(bench), ChangeKind.Same), (NameOf(bench), ChangeKind.Removed)],
            plan.Changes!.Layers.Where(layer => layer.Name == NameOf(bench)).Select(layer => (layer.Name, layer.Kind))
        );
    }

    [Fact]
    public async Task FromAnotherRegistryTheyAreStreamed()
    {
        await using var bench = await StartAsync();
        await using var other = await RegistryBench.StartAsync();
        other.Server.SeedImage("acme/agent", "1", Agent, Seeding.ConfigOf("amd64"));
        var source = new RegistryImage(other.Named("acme/agent").ReferenceTo(Tag.Parse("1")));

        var result = await bench.PublishAsync(Request(bench) with { OtherImages = new OtherImages([], [Layers(source)]) });

        Assert.All(result.Image.Layers, layer => Assert.True(bench.Server.Content.HasBlob("acme/shop", layer.Descriptor.Digest.Value)));
        Assert.Null(bench.Store().FindBlob(result.Image.Layers[1].Descriptor));
    }

    [Fact]
    public async Task TheReportShowsWhoseTheyAre()
    {
        await using var bench = await StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        var reporter = new ImageReporter(bench.Context(registry.Client));

        var report = await reporter.DescribeAsync(await reporter.PublishAsync(Request(bench), Cancel), Cancel);

        Assert.Equal([true, false, false], report.Layers.Take(3).Select(layer => layer.IsOfBase));
        Assert.Equal([NameOf(bench), NameOf(bench)], report.Layers.Skip(1).Take(2).Select(layer => layer.Name));
        Assert.Equal("opt/agent/run", Assert.Single(report.Layers[1].Files).Path);
        var dockerfile = EquivalentDockerfile.Write(report)!;
        Assert.Equal($"COPY --from={NameOf(bench)} / /", dockerfile.Split('\n')[1]);
        Assert.Single(dockerfile.Split('\n'), line => line.StartsWith("COPY --from", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OnNothingTheyAreTheBase()
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench) with { Base = new ScratchImage() });

        Assert.Equal([NameOf(bench), NameOf(bench)], result.LayerNames.Take(2));
        Assert.Equal(result.Image.Layers.Count, result.Image.Config.History!.Count);
    }

    [Fact]
    public async Task AnImageWithoutThePlatformIsAnErrorThatNamesTheItem()
    {
        await using var bench = await StartAsync();
        bench.Server.SeedImage("acme/agent", "1", Agent, Seeding.ConfigOf("arm64"));

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.PublishAsync(Request(bench)));

        Assert.Equal("IMG1046", error.Code.Id);
        Assert.Equal("ImageLayerFrom", error.Item!.Kind);
        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
    }

    private static async Task<PublishingBench> StartAsync()
    {
        var bench = await PublishingBench.StartAsync();
        var config = Seeding.ConfigOf("amd64");
        config["history"] = new JsonArray(new JsonObject { ["created_by"] = "base" });
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "amd64"))], config);
        Seed(bench, Agent);
        return bench;
    }

    private static void Seed(PublishingBench bench, byte[][] layers)
    {
        var config = Seeding.ConfigOf("amd64");
        config["config"] = new JsonObject { ["Env"] = new JsonArray("AGENT=1"), ["Entrypoint"] = new JsonArray("/opt/agent/run") };
        JsonNode[] history =
        [
            new JsonObject { ["created_by"] = "run" },
            new JsonObject { ["created_by"] = "env", ["empty_layer"] = true },
            new JsonObject { ["created_by"] = "more" },
        ];
        config["history"] = new JsonArray(layers.Length == 1 ? history[..1] : history);
        bench.Server.SeedImage("acme/agent", "1", layers, config);
    }

    private static PublishRequest Request(PublishingBench bench) =>
        bench.Request("1.0") with
        {
            OtherImages = new OtherImages([], [Layers(new RegistryImage(bench.Named("acme/agent").ReferenceTo(Tag.Parse("1"))))]),
        };

    private static LayersOfImage Layers(ImageSource from) => new(new ItemSource("ImageLayerFrom", from.ToString()!, null), from);

    private static string NameOf(PublishingBench bench) => $"{bench.Named("acme/agent")}:1";
}
