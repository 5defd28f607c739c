using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Commands;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>What is attached to an image is copied with it, and removed with it.</summary>
public sealed class AttachedCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase("Attachments", "a copy to where the image has signatures of its own under cosign's tag", "those stay, and it is said")]
    public async Task SignaturesOfTheTargetStay()
    {
        await using var bench = await CommandBench.StartAsync();
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        bench.Other.SeedIndex("prod/shop", "v0");
        var tag = subject.Replace(':', '-') + ".sig";
        CommandBench.Attach(bench.Server, "acme/shop", subject, "theirs", tag);
        var own = CommandBench.Attach(bench.Other, "prod/shop", subject, "own", tag);

        await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal(own, bench.Other.Content.Tags("prod/shop")[tag]);
        Assert.Contains(bench.Log.Informations, line => line.Contains(tag, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatTheTargetHasAttachedStaysBesideWhatIsCopied()
    {
        await using var bench = await CommandBench.StartAsync(options => options.Content.Referrers = false);
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        var copied = CommandBench.Attach(bench.Server, "acme/shop", subject, "copied");
        bench.Other.SeedIndex("prod/shop", "v1");
        var own = CommandBench.Attach(bench.Other, "prod/shop", subject, "own");
        List(bench.Other, "prod/shop", subject, own);

        await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        var list = OciJson.ReadIndex(bench.Other.Content.Manifest("prod/shop", subject.Replace(':', '-'))!.Bytes.Span).Manifests;
        Assert.Equal([own, copied], list.Select(entry => entry.Digest.Value));
        // Ours says what the manifest is; the source's list need not.
        Assert.Equal("application/vnd.example.sbom", list[1].ArtifactType);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "lists that name each other's image, and images that are attached to nothing",
        "the copy ends, and has none of it"
    )]
    public async Task ListsThatNameAnythingLeadNowhere()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.Referrers = false;
        var subject = bench.Server.SeedImage("acme/shop", "v1").Digest;
        var other = bench.Server.SeedImage("acme/shop", "v2", "arm64").Digest;
        List(bench.Server, "acme/shop", subject, other, subject);
        List(bench.Server, "acme/shop", other, subject);

        var result = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal(0, result.Attachments);
        Assert.Null(bench.Other.Content.Manifest("prod/shop", other));
    }

    [Fact]
    public async Task TheStoreKeepsWhatIsAttachedAndGivesItBack()
    {
        await using var bench = await CommandBench.StartAsync(options => options.Content.Referrers = false);
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        var attached = CommandBench.Attach(bench.Server, "acme/shop", subject, "a bill of materials");

        await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"));
        var back = await bench.CopyAsync(new StoreImage("acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal(1, back.Attachments);
        Assert.Equal(
            [attached],
            OciJson
                .ReadIndex(bench.Other.Content.Manifest("prod/shop", subject.Replace(':', '-'))!.Bytes.Span)
                .Manifests.Select(entry => entry.Digest.Value)
        );
    }

    [Fact]
    public async Task TheStoreRemovesItWithTheLastNameOfItsImage()
    {
        await using var bench = await CommandBench.StartAsync();
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        CommandBench.Attach(bench.Server, "acme/shop", subject, "a bill of materials");
        await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"));
        var store = bench.Kept.Store;
        await store.CopyReferenceAsync("acme/shop:v1", ["acme/shop:v2"], Cancel);
        var pruner = new StorePruner(store, TimeProvider.System);

        await pruner.RemoveAsync("acme/shop:v1", dryRun: false, Cancel);
        Assert.Single(await store.ListAttachmentsAsync(Digest.Parse(subject), Cancel));
        var removed = await pruner.RemoveAsync("acme/shop:v2", dryRun: false, Cancel);

        Assert.Empty(await store.ListAttachmentsAsync(Digest.Parse(subject), Cancel));
        Assert.Equal(["acme/shop:v2"], removed.Images.Select(image => image.Name));
        Assert.Empty(await store.ListAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ARegistryRemovesItWithItsImage(bool hasReferrers)
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.Referrers = hasReferrers;
        var index = bench.Server.SeedIndex("acme/shop", "1.0");
        var platform = bench.Server.Content.Manifests("acme/shop").First(manifest => manifest.Digest != index).Digest;
        var kept = bench.Server.SeedImage("acme/shop", "2.0", "s390x").Digest;
        string[] attached = [.. new[] { index, platform }.Select(subject => Attach(bench.Server, subject, hasReferrers))];
        var staying = Attach(bench.Server, kept, hasReferrers);
        CommandBench.Attach(bench.Server, "acme/shop", index, "a signature", index.Replace(':', '-') + ".sig");

        var pruner = new TagPruner(bench.Client, bench.Kept.Store, TimeProvider.System);
        var plan = await pruner.PlanAsync(Reference.Parse($"{bench.Server.Host}/acme/shop:1.0"), Cancel);
        await pruner.RemoveAsync(plan, Cancel);

        Assert.All(attached, digest => Assert.Null(bench.Server.Content.Manifest("acme/shop", digest)));
        Assert.NotNull(bench.Server.Content.Manifest("acme/shop", staying));
        string[] lists = hasReferrers ? [] : [kept.Replace(':', '-')];
        Assert.Equal(["2.0", .. lists], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task WhatAnotherImageNeedsStaysWithWhatIsAttachedToIt()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "2.0");
        var shared = bench.Server.Content.Manifests("acme/shop").First(manifest => MediaTypes.IsManifest(manifest.MediaType));
        var attached = CommandBench.Attach(bench.Server, "acme/shop", shared.Digest, "a bill of materials");
        var descriptor = new Descriptor(shared.MediaType, Digest.Parse(shared.Digest), shared.Bytes.Length)
        {
            Platform = new Platform("linux", "amd64"),
        };
        bench.Server.Content.PutManifest(
            "acme/shop",
            "1.0",
            OciJson.Write(new ImageIndex([descriptor]) { MediaType = MediaTypes.OciIndex }),
            MediaTypes.OciIndex
        );

        var pruner = new TagPruner(bench.Client, bench.Kept.Store, TimeProvider.System);
        var plan = await pruner.PlanAsync(Reference.Parse($"{bench.Server.Host}/acme/shop:1.0"), Cancel);
        await pruner.RemoveAsync(plan, Cancel);

        Assert.NotNull(bench.Server.Content.Manifest("acme/shop", attached));
        Assert.Equal(["2.0"], bench.Server.Content.Tags("acme/shop").Keys);
    }

    private static string Attach(TestRegistry registry, string subject, bool hasReferrers)
    {
        var attached = CommandBench.Attach(registry, "acme/shop", subject, "a bill of materials of " + subject);
        if (!hasReferrers)
            List(registry, "acme/shop", subject, attached);
        return attached;
    }

    private static void List(TestRegistry registry, string repository, string subject, params string[] entries) =>
        registry.Content.PutManifest(
            repository,
            subject.Replace(':', '-'),
            OciJson.Write(
                new ImageIndex([
                    .. entries.Select(digest => new Descriptor(
                        MediaTypes.OciManifest,
                        Digest.Parse(digest),
                        registry.Content.Manifest(repository, digest)!.Bytes.Length
                    )),
                ])
                {
                    MediaType = MediaTypes.OciIndex,
                }
            ),
            MediaTypes.OciIndex
        );
}
