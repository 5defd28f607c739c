using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Testing;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>What is attached to an image is copied with it, and removed with it.</summary>
public sealed class AttachedCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a copy to a target where the image has its own signatures at cosign's tag",
        "they stay, and a line says so"
    )]
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
        "lists that refer to each other's image, and images that are not attached to anything",
        "the copy ends without them"
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

        await bench.RemoveAsync("acme/shop:1.0");

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

        await bench.RemoveAsync("acme/shop:1.0");

        Assert.NotNull(bench.Server.Content.Manifest("acme/shop", attached));
        Assert.Equal(["2.0"], bench.Server.Content.Tags("acme/shop").Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase("Attachments", "a copy of an image whose attestations are signed", "the signatures of attestations are copied too")]
    public async Task ACopyHasTheSignatureOfAnAttestation(bool hasReferrers)
    {
        await using var bench = await CommandBench.StartAsync(options => options.Content.Referrers = hasReferrers);
        bench.Server.Options.Content.Referrers = hasReferrers;
        var subject = bench.Server.SeedIndex("acme/shop", "v1");
        var attestation = Attach(bench.Server, subject, hasReferrers);
        var signature = Attach(bench.Server, attestation, hasReferrers);

        await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"));
        var fromStore = await bench.CopyAsync(new StoreImage("acme/shop:v1"), CommandBench.In(bench.Other, "prod/from-store"));
        var direct = await bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"));

        Assert.Equal((2, 2), (fromStore.Attachments, direct.Attachments));
        foreach (var repository in new[] { CommandBench.In(bench.Other, "prod/from-store"), CommandBench.In(bench.Other, "prod/shop") })
        {
            Assert.Equal([attestation], await ListedAsync(bench.Client, repository, subject));
            Assert.Equal([signature], await ListedAsync(bench.Client, repository, attestation));
        }
    }

    [Fact]
    [ReliabilityCase("Attachments", "attachments of attachments without end", "the copy fails, because it would lose some of them")]
    public async Task ACopyOfAChainWithoutAnEndFails()
    {
        await using var bench = await CommandBench.StartAsync();
        var subject = bench.Server.SeedImage("acme/shop", "v1").Digest;
        for (var depth = 0; depth < 10; depth++)
            subject = Attach(bench.Server, subject, hasReferrers: true);

        await CommandBench.FailsAsync(DiagnosticCodes.BaseInvalid, () =>
            bench.CopyAsync(CommandBench.At(bench.Server, "acme/shop:v1"), CommandBench.In(bench.Other, "prod/shop"))
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "a removed image whose attestations are signed",
        "their signatures are removed too, and none of other images"
    )]
    public async Task ARegistryRemovesTheSignatureOfAnAttestation(bool hasReferrers)
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.Referrers = hasReferrers;
        var removed = bench.Server.SeedIndex("acme/shop", "1.0");
        var kept = bench.Server.SeedImage("acme/shop", "2.0", "s390x").Digest;
        string[] gone = AttachSigned(bench.Server, removed, hasReferrers);
        string[] staying = AttachSigned(bench.Server, kept, hasReferrers);

        await bench.RemoveAsync("acme/shop:1.0");

        Assert.All(gone, digest => Assert.Null(bench.Server.Content.Manifest("acme/shop", digest)));
        Assert.All(staying, digest => Assert.NotNull(bench.Server.Content.Manifest("acme/shop", digest)));
        string[] lists = hasReferrers ? [] : [kept.Replace(':', '-'), staying[0].Replace(':', '-')];
        Assert.Equal(
            new[] { "2.0" }.Concat(lists).Order(StringComparer.Ordinal),
            bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnAttestationThatHasATagStaysWithItsSignature(bool hasReferrers)
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.Options.Content.Referrers = hasReferrers;
        string[] staying = AttachSigned(bench.Server, bench.Server.SeedIndex("acme/shop", "1.0"), hasReferrers);
        var attestation = bench.Server.Content.Manifest("acme/shop", staying[0])!;
        bench.Server.Content.PutManifest("acme/shop", "audited", attestation.Bytes.Span, attestation.MediaType);

        await bench.RemoveAsync("acme/shop:1.0");

        Assert.All(staying, digest => Assert.NotNull(bench.Server.Content.Manifest("acme/shop", digest)));
        string[] lists = hasReferrers ? [] : [staying[0].Replace(':', '-')];
        Assert.Equal(["audited", .. lists], bench.Server.Content.Tags("acme/shop").Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a removed image whose signature tag points at an image that has another tag",
        "that image and its attachments stay"
    )]
    public async Task AnImageUnderTheTagOfASignatureStays()
    {
        await using var bench = await CommandBench.StartAsync();
        var removed = bench.Server.SeedIndex("acme/shop", "1.0");
        var kept = bench.Server.SeedImage("acme/shop", "2.0", "s390x").Digest;
        string[] staying = AttachSigned(bench.Server, kept, hasReferrers: true);
        var image = bench.Server.Content.Manifest("acme/shop", kept)!;
        bench.Server.Content.PutManifest("acme/shop", removed.Replace(':', '-') + ".sig", image.Bytes.Span, image.MediaType);

        await bench.RemoveAsync("acme/shop:1.0");

        Assert.Null(bench.Server.Content.Manifest("acme/shop", removed));
        Assert.All(staying.Prepend(kept), digest => Assert.NotNull(bench.Server.Content.Manifest("acme/shop", digest)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "a registry lists attachments of attachments in a loop, without end, or including a kept image",
        "the removal ends, and the kept image stays"
    )]
    public async Task ARemovalEndsWhateverIsListed(bool isCircle)
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedIndex("acme/shop", "1.0");
        var kept = bench.Server.SeedImage("acme/shop", "2.0", "s390x").Digest;
        bench.Server.Faults.Add(new Fault(RegistryStep.Referrers, FaultAction.Custom("lists anything", async (http, request, _) =>
                {
                    var other = Digest.Compute(Encoding.UTF8.GetBytes(isCircle ? "circle" : request.Path));
                    var listed = new[] { other, Digest.Parse(kept) }.Select(one => new Descriptor(MediaTypes.OciManifest, one, 2));
                    http.Response.ContentType = MediaTypes.OciIndex;
                    await http.Response.Body.WriteAsync(
                        OciJson.Write(new ImageIndex([.. listed]) { MediaType = MediaTypes.OciIndex }),
                        Cancel
                    );
                })) { Times = Fault.Always });

        await bench.RemoveAsync("acme/shop:1.0");

        Assert.Equal(["2.0"], bench.Server.Content.Tags("acme/shop").Keys);
        Assert.InRange(bench.Server.Requests.CountOf(RegistryStep.Referrers), 1, 50);
    }

    private static string[] AttachSigned(TestRegistry registry, string subject, bool hasReferrers)
    {
        var attestation = Attach(registry, subject, hasReferrers);
        return [attestation, Attach(registry, attestation, hasReferrers)];
    }

    private static async Task<IEnumerable<string>> ListedAsync(RegistryClient registries, Repository repository, string subject)
    {
        var listed = await registries.ListReferrersAsync(repository, Digest.Parse(subject), Cancel)
            ?? await ReferrersTag.ListAsync(registries, repository, Digest.Parse(subject), Cancel);
        return listed.Select(entry => entry.Digest.Value);
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
