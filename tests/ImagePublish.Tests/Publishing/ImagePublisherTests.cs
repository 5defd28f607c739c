using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>What a publish moves, and what it leaves alone.</summary>
public sealed class ImagePublisherTests
{
    private static readonly RegistryStep[] Writing =
    [
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPut,
        RegistryStep.UploadPatch,
        RegistryStep.ManifestPut,
    ];

    [Fact]
    public async Task APublishPutsTheImageUnderEveryTag()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1.0", "latest"));

        Assert.False(result.IsUnchanged);
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "latest"));
        Assert.Equal(0, bench.Server.Content.OpenUploadSessions);
        Assert.All(result.Image.Layers, layer => Assert.True(bench.Server.Content.HasBlob("acme/shop", layer.Descriptor.Digest.Value)));
    }

    [Fact]
    public async Task BaseLayersAreMountedAndNeverDownloaded()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1.0"));

        Assert.True(result.Deliveries[0].Transfer.MountedBytes > 0);
        Assert.Equal(1, bench.Moved(RegistryStep.BlobGet));
    }

    [Fact]
    [ReliabilityCase(
        "Base",
        "a machine that has no documents of images, such as that of a CI job",
        "the base is read without a HEAD before it"
    )]
    public async Task ANewMachineReadsTheBaseAtOnce()
    {
        await using var bench = await PublishingBench.StartAsync();

        await bench.PublishAsync(bench.Request("1.0"));
        var first = StepsAtBase(bench);
        await bench.PublishAsync(bench.Request("2.0"));

        Assert.Equal([RegistryStep.ManifestGet, RegistryStep.ManifestGet, RegistryStep.BlobGet], first);
        Assert.Equal([RegistryStep.ManifestHead], StepsAtBase(bench));
    }

    private static IReadOnlyList<RegistryStep> StepsAtBase(PublishingBench bench) =>
        [.. bench.Server.Requests.Where(request => request.Repository == "dotnet/aspnet").Select(request => request.Step)];

    [Fact]
    public async Task APublishThatChangesNothingAsksOneQuestionForTheBaseAndOneForEachTag()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0", "latest"));

        var second = await bench.PublishAsync(bench.Request("1.0", "latest"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(3, bench.Moved(RegistryStep.ManifestHead));
    }

    [Fact]
    public async Task APublishThatChangesNothingInTheStoreSaysSo()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0", "latest") with { Destinations = [] };
        var first = await bench.PublishAsync(request);

        var again = await bench.PublishAsync(request);
        var tagged = await bench.PublishAsync(bench.Request("1.0", "2.0") with { Destinations = [] });
        bench.Write("App.dll", "app 2");
        var changed = await bench.PublishAsync(request);

        Assert.Equal([false, true, false, false], [first.IsUnchanged, again.IsUnchanged, tagged.IsUnchanged, changed.IsUnchanged]);
        Assert.Equal(first.Image.Digest, again.Image.Digest);
        Assert.Contains("(unchanged)", PublishSummary.Lines("App", again, TimeSpan.Zero).First(), StringComparison.Ordinal);
        Assert.Contains("docker run", PublishSummary.Lines("App", again, TimeSpan.Zero).Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFreshMachineBuildsNothingThatTheRegistryHas()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));

        var elsewhere = await bench.PublishAsync(bench.Request("1.0"), machine: "fresh");

        Assert.True(elsewhere.IsUnchanged, bench.Log.ToString());
        Assert.Equal(0, bench.Moved(Writing));
    }

    [Fact]
    public async Task OnlyTheChangedLayerTravelsFromAFreshMachineToo()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("App.dll", "app 2");

        var second = await bench.PublishAsync(bench.Request("1.1"), machine: "fresh");

        var changed = second
            .Image.Layers.Select(layer => layer.Descriptor.Digest)
            .Except(first.Image.Layers.Select(layer => layer.Descriptor.Digest));
        Assert.Single(changed);
        Assert.Equal(2, bench.Moved(RegistryStep.UploadPut));
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task AnImageThatTheRegistryLostIsPushedAgain()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        await using var emptied = await TestRegistry.StartAsync(cancellationToken: PublishingBench.Cancel);
        var request = bench.Request("1.0") with { Destinations = [Repository.Create(Registry.Parse(emptied.Host), "acme/shop")] };

        var second = await bench.PublishAsync(request);

        Assert.False(second.IsUnchanged);
        Assert.Equal(first.Image.Digest.Value, emptied.Content.Tags("acme/shop")["1.0"]);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
    }

    [Fact]
    public async Task ABaseThatMovedGivesANewImage()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        bench.Server.SeedImage(
            "dotnet/aspnet",
            "10.0",
            [Seeding.LayerOf(("etc/release", "patched"))],
            new JsonObject { ["architecture"] = "amd64", ["os"] = "linux" }
        );

        var second = await bench.PublishAsync(bench.Request("1.0"));

        Assert.NotEqual(first.Image.Digest, second.Image.Digest);
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ALabelThatChangedMovesNoLayer()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0");
        await bench.PublishAsync(request);

        var second = await bench.PublishAsync(request with { Spec = request.Spec with { Labels = [KeyValuePair.Create("a", "b")] } });

        Assert.False(second.IsUnchanged);
        Assert.Equal(1, bench.Moved(RegistryStep.UploadPut));
        Assert.Equal(second.Image.ConfigBlob.Descriptor.Size, second.Deliveries[0].Transfer.UploadedBytes);
    }

    [Fact]
    public async Task ATagThatMovedAwayIsMovedBack()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0", "latest"));
        bench.Write("App.dll", "app 2");
        await bench.PublishAsync(bench.Request("latest"));
        bench.Write("App.dll", "app 1");

        var third = await bench.PublishAsync(bench.Request("1.0", "latest"));

        Assert.False(third.IsUnchanged);
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "latest"));
        Assert.Equal(0, bench.Moved(RegistryStep.UploadPut));
    }

    [Fact]
    public async Task WhenALayerCanNotBePushedNoTagMoves()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("App.dll", "app 2");
        bench.Server.Faults.Add(RegistryStep.UploadPut, FaultAction.Status(403));

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(bench.Request("1.0")));

        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut));
    }

    [Fact]
    public async Task WhenTheThirdOfFourTagsFailsTheMessageSaysWhichMoved()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestPut, FaultAction.Status(403)) { Times = 1, Skip = 3 });

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(bench.Request("a", "b", "c", "d")));

        string Name(string tag) => $"{bench.Server.Host}/acme/shop:{tag}";
        Assert.Contains(
            $"Tagged: {Name("a")}, {Name("b")}; not tagged: {Name("c")}, {Name("d")}.",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.Null(bench.TagDigest("acme/shop", "c"));
    }

    [Fact]
    public async Task WithSeveralRegistriesNoTagMovesUntilEachHasTheWholeImage()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var second = await TestRegistry.StartAsync(cancellationToken: PublishingBench.Cancel);
        second.Faults.Add(RegistryStep.UploadPut, FaultAction.Status(403));
        var request = bench.Request("1.0") with
        {
            Destinations = [bench.Named("acme/shop"), Repository.Create(Registry.Parse(second.Host), "acme/shop")],
        };

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request));

        Assert.Null(bench.TagDigest("acme/shop", "1.0"));
        Assert.Empty(second.Content.AllTags);
    }

    [Fact]
    public async Task WithoutARegistryTheImageIsInTheLocalStore()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1.0") with { Destinations = [] });

        var stored = await bench.Store().FindReferenceAsync("acme/shop:1.0", PublishingBench.Cancel);
        Assert.Equal(result.Image.Digest, stored!.Digest);
        Assert.All(result.Image.Layers, layer => Assert.NotNull(bench.Store().FindBlob(layer.Descriptor)));
        Assert.Equal(result.Image.Size, result.Deliveries[0].Transfer.UploadedBytes);
    }

    [Fact]
    public async Task TwoServicesWithTheSamePackagesShareThatLayer()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("App.dll", "another app");

        var other = await bench.PublishAsync(
            bench.Request("1.0") with
            {
                Destinations = [bench.Named("acme/other")],
                LocalName = "acme/other",
            }
        );

        // What both have crosses the line once: the second repository mounts it from the first.
        Assert.Equal(
            other.Image.Layers[^1].Descriptor.Size + other.Image.ConfigBlob.Descriptor.Size,
            other.Deliveries[0].Transfer.UploadedBytes
        );
    }

    [Theory]
    [InlineData("linux/s390x", "IMG2002")]
    [InlineData("windows/amd64", "IMG2002")]
    public async Task APlatformThatTheBaseLacksIsAnErrorThatListsWhatThereIs(string platform, string code)
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0");

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() =>
            bench.PublishAsync(request with { Spec = request.Spec with { Platform = Platform.Parse(platform) } })
        );

        Assert.Equal(code, failure.Code.Id);
        Assert.Contains("linux/amd64", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABaseThatDoesNotExistIsAnError()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Base = new RegistryImage(bench.Named("dotnet/nonsense").ReferenceTo(Tag.Parse("10.0"))) };

        Assert.Equal(
            DiagnosticCodes.BaseNotFound,
            (await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request))).Code
        );
    }

    [Fact]
    public async Task ImagesOfSeveralPlatformsAreJoinedByDigestAndOnlyTheIndexIsTagged()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request();
        var amd64 = await bench.PublishAsync(request);
        var arm64 = await bench.PublishAsync(
            request with
            {
                Spec = request.Spec with { Platform = Platform.Parse("linux/arm64") },
            },
            machine: "other"
        );

        var index = await bench.PublishAsync(
            new IndexRequest
            {
                From = [bench.Named("acme/shop").ReferenceTo(amd64.Image.Digest), bench.Named("acme/shop").ReferenceTo(arm64.Image.Digest)],
                Destinations = request.Destinations,
                LocalName = "acme/shop",
                Tags = [Tag.Parse("1.0")],
            }
        );

        Assert.Equal(["1.0"], bench.Server.Content.Tags("acme/shop").Keys);
        Assert.Equal(index.Index.Descriptor.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
        Assert.Equal(["linux/amd64", "linux/arm64"], index.Images.Select(image => $"{image.Platform!.Os}/{image.Platform.Architecture}"));
    }

    [Fact]
    public async Task AnIndexThatTheLocalStoreHasUnderEveryTagIsUnchanged()
    {
        await using var bench = await PublishingBench.StartAsync();
        var built = await bench.PublishAsync(bench.Request() with { Destinations = [] });
        var request = new IndexRequest
        {
            Images = [built.Image.IndexEntry],
            Destinations = [],
            LocalName = "acme/shop",
            Tags = [Tag.Parse("1.0")],
        };

        var first = await bench.PublishAsync(request);
        var second = await bench.PublishAsync(request);
        var further = await bench.PublishAsync(request with { Tags = [Tag.Parse("1.0"), Tag.Parse("latest")] });

        Assert.False(first.IsUnchanged);
        Assert.True(second.IsUnchanged);
        Assert.Equal("acme/shop", Assert.Single(second.Deliveries).Name);
        Assert.False(further.IsUnchanged);
    }

    [Fact]
    public async Task AnImageFromAnotherRepositoryIsCopiedToWhereTheIndexIs()
    {
        await using var bench = await PublishingBench.StartAsync();
        var built = await bench.PublishAsync(bench.Request() with { Destinations = [bench.Named("ci/amd64")] });

        var index = await bench.PublishAsync(
            new IndexRequest
            {
                From = [bench.Named("ci/amd64").ReferenceTo(built.Image.Digest)],
                Destinations = [bench.Named("acme/shop")],
                LocalName = "acme/shop",
                Tags = [Tag.Parse("1.0")],
            }
        );

        Assert.NotNull(bench.Server.Content.Manifest("acme/shop", built.Image.Digest.Value));
        Assert.True(index.Deliveries[0].Transfer.MountedBytes > 0);
    }
}
