using System.Text.Json.Nodes;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Rebasing;

public sealed class DriftTests
{
    [Fact]
    public async Task AnImageIsBehindWhenTheNameOfItsBasePointsAtAnother()
    {
        await using var bench = await RebaseBench.StartAsync(WithVersion(TestBase.Debian, "10.0.1"));
        await bench.Publishing.PublishAsync(bench.Request());

        var before = Assert.Single(await CheckAsync(bench, bench.Shop));
        var now = WithVersion(TestBase.Debian.Fixed(), "10.0.2").SeedTo(bench.Server);
        var after = Assert.Single(await CheckAsync(bench, bench.Shop));

        Assert.Equal(DriftState.Current, before.State);
        Assert.Equal(before.Base!.Digest, before.CurrentDigest);
        Assert.Equal(DriftState.Behind, after.State);
        Assert.Equal(now, after.CurrentDigest!.Value);
        Assert.Equal(("10.0.1", "10.0.2"), (after.Runtime, after.CurrentRuntime));
        Assert.Equal("2026-01-02T00:00:00Z", after.CurrentCreated);
        // No list of packages is at hand, and no layer is read for one.
        Assert.Null(after.Packages);
        Assert.Equal(0, LayersRead(bench));
    }

    [Fact]
    public async Task PackagesAreComparedWhereBothListsAreOnThisMachine()
    {
        static TestBase With(TestBase one, string version) =>
            one with
            {
                Extra =
                [
                    .. one.Extra,
                    $"f 644 0:0 var/lib/dpkg/status Package: libssl3\nVersion: {version}\nStatus: install ok installed\n",
                ],
            };
        await using var bench = await RebaseBench.StartAsync(With(TestBase.Debian, "3.0.1"));
        await bench.Publishing.PublishAsync(bench.Request());
        With(TestBase.Debian.Fixed(), "3.0.2").SeedTo(bench.Server);
        await bench.RebaseAsync(request => request with { DryRun = true });

        var drift = Assert.Single(await CheckAsync(bench, bench.Shop));

        Assert.Equal([new PackageChange("libssl3", "3.0.1", "3.0.2")], drift.Packages);
        Assert.Equal(0, LayersRead(bench));
    }

    [Fact]
    public async Task EachBaseIsAskedForOnceHoweverManyImagesAreOnIt()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var images = new List<Reference>();
        foreach (var name in Enumerable.Range(0, 12).Select(at => $"acme/service-{at}"))
        {
            await bench.Publishing.PublishAsync(bench.Request(name));
            images.Add(bench.Publishing.Named(name).ReferenceTo(Tag.Parse("1.0")));
        }

        TestBase.Debian.Fixed().SeedTo(bench.Server);

        var drifts = await CheckAsync(bench, [.. images]);

        Assert.All(drifts, drift => Assert.Equal(DriftState.Behind, drift.State));
        var toBase = bench.Server.Requests.Where(request =>
            request.Target.Contains("/dotnet/aspnet/manifests/10.0", StringComparison.Ordinal)
        );
        Assert.Single(toBase);
        Assert.Equal(0, LayersRead(bench));
        Assert.InRange(bench.Server.Requests.MaxConcurrent(RegistryStep.ManifestHead), 1, 8);
    }

    [Fact]
    public async Task TheRegistrySaysUntilWhenABaseGetsFixes()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var old = bench.Publishing.TagDigest("dotnet/aspnet", "10.0")!;
        await bench.Publishing.PublishAsync(bench.Request());
        var now = TestBase.Debian.Fixed().SeedTo(bench.Server);
        bench.Server.AttachEndOfLife("dotnet/aspnet", old, "2026-01-02");
        bench.Server.AttachEndOfLife("dotnet/aspnet", now, "2028-11-14T00:00:00Z");

        var drift = Assert.Single(await CheckAsync(bench, bench.Shop));

        Assert.Equal(new DateOnly(2028, 11, 14), drift.EndOfLife);
        Assert.Equal(new DateOnly(2026, 1, 2), drift.Superseded);
    }

    [Theory]
    [InlineData("never")]
    [InlineData("")]
    public async Task ADateThatIsNoneIsNone(string text)
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        bench.Server.AttachEndOfLife("dotnet/aspnet", bench.Publishing.TagDigest("dotnet/aspnet", "10.0")!, text);

        Assert.Null(Assert.Single(await CheckAsync(bench, bench.Shop)).EndOfLife);
    }

    [Fact]
    public async Task WhatCanNotBeCheckedIsSaidAndTheOthersAreChecked()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        bench.Server.SeedImage("acme/unnamed", "1.0");
        bench.Server.Content.PutManifest("acme/broken", "1.0", "{}"u8, ImagePublish.Oci.MediaTypes.OciManifest);
        Reference At(string name) => bench.Publishing.Named(name).ReferenceTo(Tag.Parse("1.0"));

        var drifts = await CheckAsync(bench, At("acme/none"), At("acme/unnamed"), At("acme/broken"), bench.Shop);

        Assert.Equal(["IMG4006", "IMG4020", "IMG4004", null], drifts.Select(drift => drift.Failure?.Code.Id));
        Assert.Equal(DriftState.Current, drifts[^1].State);
    }

    [Fact]
    public async Task ABaseWhoseNameIsGoneIsUnknown()
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        await bench.Publishing.PublishAsync(bench.Request());
        bench.Server.Content.RemoveTag("dotnet/aspnet", "10.0");

        var drift = Assert.Single(await CheckAsync(bench, bench.Shop));

        Assert.Equal(DriftState.Unknown, drift.State);
        Assert.Equal("IMG2001", drift.Failure!.Code.Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnImageThatNamesItsBaseWithoutADigestIsComparedByItsLayers(bool isFixed)
    {
        await using var bench = await RebaseBench.StartAsync(TestBase.Debian);
        var request = bench.Request();
        await bench.Publishing.PublishAsync(request with { Project = request.Project! with { Omitted = ["base.digest"] } });
        if (isFixed)
            TestBase.Debian.Fixed().SeedTo(bench.Server);

        var state = Assert.Single(await CheckAsync(bench, bench.Shop)).State;

        Assert.Equal(isFixed ? DriftState.Behind : DriftState.Current, state);
    }

    private static async Task<IReadOnlyList<ImageDrift>> CheckAsync(RebaseBench bench, params Reference[] images)
    {
        bench.Server.Requests.Clear();
        await using var registry = RegistryBench.For(bench.Server);
        PublishContext context = bench.Publishing.Context(registry.Client, "ci");
        return await new DriftChecker(context, image => image).CheckAsync(images, RebaseBench.Cancel);
    }

    private static TestBase WithVersion(TestBase one, string version)
    {
        var config = one.Config.DeepClone().AsObject();
        config["Env"]!.AsArray().Add((JsonNode)$"DOTNET_VERSION={version}");
        return one with { Config = config };
    }

    // Configs are blobs, too; layers of these tests are the larger ones.
    private static int LayersRead(RebaseBench bench) =>
        bench
            .Server.Requests.Of(RegistryStep.BlobGet)
            .Select(request => request.Target)
            .Count(target => bench.IsLayer(target[(target.LastIndexOf('/') + 1)..]));
}
