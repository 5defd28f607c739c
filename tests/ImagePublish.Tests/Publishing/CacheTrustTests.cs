using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>
/// Who can push any tag of a repository can claim that a layer became a blob of theirs. Such a claim must not decide what the next image
/// contains.
/// </summary>
public sealed class CacheTrustTests
{
    private const string Area = "Layer reuse";

    private static readonly RegistryStep[] Writing =
    [
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPut,
        RegistryStep.UploadPatch,
        RegistryStep.ManifestPut,
    ];

    public static TheoryData<string, string?> Places =>
        new()
        {
            { "latest", null },
            { "pr-42", null },
            { "cache", "acme/shop:cache" },
        };

    [Theory]
    [MemberData(nameof(Places))]
    [ReliabilityCase(
        Area,
        "an image at `latest`, at a branch's tag or in `ImageCacheFrom` claims another blob for a layer",
        "not trusted: the layer is built"
    )]
    public async Task AnImageThatIsNotProvenIsNotBelieved(string tag, string? cacheFrom)
    {
        await using var bench = await PublishingBench.StartAsync();
        var honest = await bench.PublishAsync(bench.Request("1.0"));
        var evil = Poison(bench, honest, tag);

        var request = bench.Request("1.1") with
        {
            CacheFrom = cacheFrom is null ? [] : [Reference.Parse($"{bench.Server.Host}/{cacheFrom}")],
        };
        var next = await bench.PublishAsync(request, machine: "fresh");

        Assert.DoesNotContain(evil, next.Image.Layers.Select(layer => layer.Descriptor.Digest));
        Assert.Equal(honest.Image.Digest, next.Image.Digest);
        Assert.Equal(0, bench.Moved(RegistryStep.UploadPut, RegistryStep.UploadPatch));
    }

    [Fact]
    [ReliabilityCase(Area, "an image claims another blob for the layer of operating system packages", "not trusted: the layer is built")]
    public async Task ALayerOfPackagesIsNotBelievedEither()
    {
        await using var bench = await PublishingBench.StartAsync();
        using var repository = new LocalRepository();
        repository.AddRoot().Add(new DebBuilder("tool").File("./usr/bin/tool", "honest"));
        PublishRequest Request(string tag) => bench.Request(tag) with { Base = new ScratchImage(), Packages = repository.Request("tool") };
        var honest = await bench.PublishAsync(Request("1.0"));
        var evil = Poison(bench, honest, "latest", ImagePublish.Packages.Layout.PackageLayout.LayerName);

        var next = await bench.PublishAsync(Request("1.1"), machine: "fresh");

        Assert.DoesNotContain(evil, next.Image.Layers.Select(layer => layer.Descriptor.Digest));
        Assert.Equal(honest.Image.Digest, next.Image.Digest);
        Assert.Equal(0, bench.Moved(RegistryStep.UploadPut, RegistryStep.UploadPatch));
    }

    [Fact]
    [ReliabilityCase(Area, "an image with proofs, and a blob that they don't cover", "not trusted: the layer is built")]
    public async Task AProofDoesNotCoverAnotherBlob()
    {
        await using var bench = await PublishingBench.StartAsync();
        var honest = await bench.PublishAsync(WithKey(bench.Request("1.0"), 'k'));
        var evil = Poison(bench, honest, "latest");

        var next = await bench.PublishAsync(WithKey(bench.Request("1.1"), 'k'), machine: "fresh");

        Assert.DoesNotContain(evil, next.Image.Layers.Select(layer => layer.Descriptor.Digest));
        Assert.Equal(honest.Image.Digest, next.Image.Digest);
    }

    [Fact]
    [ReliabilityCase(Area, "proofs made with another key", "not trusted: the layers are built, and the image is the same as without them")]
    public async Task AProofOfAnotherKeyIsNotBelieved()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(WithKey(bench.Request("1.0"), 'x'));

        await bench.PublishAsync(WithKey(bench.Request("1.1"), 'k'), machine: "fresh");

        Assert.Contains("was built", string.Join('\n', bench.Log.Details), StringComparison.Ordinal);
        Assert.DoesNotContain("is unchanged, known to", string.Join('\n', bench.Log.Details), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        Area,
        "an image with proofs or in a trusted repository, and a machine without a cache",
        "its layers are neither built nor uploaded"
    )]
    public async Task WhatIsBelievedIsNotBuilt(bool byKey)
    {
        await using var bench = await PublishingBench.StartAsync();
        PublishRequest Trusting(PublishRequest request) =>
            byKey ? WithKey(request, 'k') : request with { CacheTrust = new CacheTrust { Repositories = request.Destinations } };
        await bench.PublishAsync(Trusting(bench.Request("1.0")));
        bench.Log.Details.Clear();

        var elsewhere = await bench.PublishAsync(Trusting(bench.Request("1.0")), machine: "fresh");

        Assert.True(elsewhere.IsUnchanged);
        Assert.Equal(0, bench.Moved(Writing));
        Assert.DoesNotContain("was built", string.Join('\n', bench.Log.Details), StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "a trusted image claims another blob for a layer, with `ImageVerifyReused=true`",
        "IMG3005 before anything is written"
    )]
    public async Task AReusedLayerIsComparedWhereThatIsAskedFor()
    {
        await using var bench = await PublishingBench.StartAsync();
        var honest = await bench.PublishAsync(bench.Request("1.0"));
        Poison(bench, honest, "latest");
        var request = bench.Request("1.1");
        var trusting = request with
        {
            CacheTrust = new CacheTrust { Repositories = request.Destinations, VerifyReused = true },
        };

        bench.Server.Content.RemoveTag("acme/shop", "1.0");
        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(trusting, machine: "fresh"));

        Assert.Equal(DiagnosticCodes.LayerInvalid, failure.Code);
        Assert.Contains("acme/shop", failure.Message, StringComparison.Ordinal);
        Assert.Null(bench.TagDigest("acme/shop", "1.1"));
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut));
    }

    [Fact]
    public async Task AnHonestReusedLayerPassesTheComparison()
    {
        await using var bench = await PublishingBench.StartAsync();
        var honest = await bench.PublishAsync(WithKey(bench.Request("1.0"), 'k'));
        var request = WithKey(bench.Request("1.1"), 'k');

        var next = await bench.PublishAsync(
            request with
            {
                CacheTrust = request.CacheTrust with { VerifyReused = true },
            },
            machine: "fresh"
        );

        Assert.Equal(honest.Image.Digest, next.Image.Digest);
        Assert.True(bench.Moved(RegistryStep.BlobGet) > 1);
    }

    [Fact]
    [ReliabilityCase(Area, "`ImageCacheFrom=none`", "no image is asked for layers, whatever is trusted")]
    public async Task WithoutACacheNoImageIsRead()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(WithKey(bench.Request("1.0"), 'k'));
        bench.Log.Details.Clear();

        await bench.PublishAsync(WithKey(bench.Request("1.1") with { CacheFrom = null }, 'k'), machine: "fresh");

        Assert.DoesNotContain("known to", string.Join('\n', bench.Log.Details), StringComparison.Ordinal);
        Assert.Equal(0, bench.Moved(RegistryStep.TagsList));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "a machine without a cache or key builds what the registry already has",
        "nothing is uploaded, no tag is written, and the result is unchanged"
    )]
    public async Task WhatIsBuiltAgainIsFoundUnchanged()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));

        var elsewhere = await bench.PublishAsync(bench.Request("1.0"), machine: "fresh");
        var again = await bench.PublishAsync(bench.Request("1.0"), machine: "fresh");

        Assert.True(elsewhere.IsUnchanged);
        Assert.True(again.IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);
    }

    [Fact]
    public async Task AnImageNamedInCacheFromTellsWhereABlobCanBeMountedFrom()
    {
        await using var bench = await PublishingBench.StartAsync();
        var other = await bench.PublishAsync(bench.Request("1.0") with { Destinations = [bench.Named("ci/shop")], LocalName = "ci/shop" });
        bench.Write("App.dll", "app 2");

        var request = bench.Request("1.0") with { CacheFrom = [bench.Named("ci/shop").ReferenceTo(Tag.Parse("1.0"))] };
        var next = await bench.PublishAsync(request, machine: "fresh");

        var packages = next.Image.Layers.Single(layer => layer.Descriptor.Digest == LayerOf(other, "packages").Descriptor.Digest);
        Assert.Equal(TransferKind.Mounted, next.Deliveries[0].Blobs[packages.Descriptor.Digest].Kind);
    }

    [Fact]
    public void AKeyIsLongAndItsProofsAreItsOwn()
    {
        var blob = new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest.Compute([1]), 1);
        var proof = Key('a').Prove(Digest.Compute([2]), blob);

        Assert.False(CacheSecret.TryCreate(new string('a', CacheSecret.MinLength - 1), out _));
        Assert.True(Key('a').Accepts(proof, Digest.Compute([2]), blob));
        Assert.False(Key('b').Accepts(proof, Digest.Compute([2]), blob));
        Assert.False(Key('a').Accepts(proof, Digest.Compute([3]), blob));
        Assert.False(Key('a').Accepts(proof, Digest.Compute([2]), blob with { Digest = Digest.Compute([3]) }));
        Assert.False(Key('a').Accepts(proof, Digest.Compute([2]), blob with { Size = 2 }));
        Assert.False(Key('a').Accepts(proof, Digest.Compute([2]), blob with { MediaType = "application/vnd.oci.image.layer.v1.tar+zstd" }));
        Assert.False(Key('a').Accepts(null, Digest.Compute([2]), blob));
        Assert.DoesNotContain("aaaa", Key('a').ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheProofsOfABaseAreNotInherited()
    {
        await using var bench = await PublishingBench.StartAsync();
        var lower = await bench.PublishAsync(WithKey(bench.Request("1.0"), 'k'));

        var upper = await bench.PublishAsync(
            bench.Request("1.0") with
            {
                Base = new RegistryImage(bench.Named("acme/shop").ReferenceTo(Tag.Parse("1.0"))),
                Destinations = [bench.Named("acme/upper")],
            }
        );

        Assert.NotNull(LayerProofs.Find(lower.Image.Config, LayerOf(lower, "packages").DiffId));
        Assert.DoesNotContain(LayerProofs.Field, upper.Image.Config.Unknown.Select(field => field.Name));
    }

    // The image as it is, but for one blob.
    private static Digest Poison(PublishingBench bench, PublishResult honest, string tag, string name = "packages")
    {
        const string Repository = "acme/shop";
        var evil = bench.Server.Content.PutBlob(Repository, Seeding.LayerOf(("app/Package.dll", "EVIL")));
        var manifest = JsonNode.Parse(honest.Image.Manifest.Content.Span)!;
        var replaced = LayerOf(honest, name).Descriptor.Digest.Value;
        var layer = manifest["layers"]!.AsArray().Single(layer => (string)layer!["digest"]! == replaced)!;
        layer["digest"] = evil;
        layer["size"] = bench.Server.Content.Blob(Repository, evil)!.Length;
        bench.Server.Content.PutManifest(
            Repository,
            tag,
            System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            honest.Image.Manifest.Descriptor.MediaType
        );
        return Digest.Parse(evil);
    }

    private static Layer LayerOf(PublishResult result, string name) => result.Image.Layers[result.LayerNames.ToList().IndexOf(name)];

    private static PublishRequest WithKey(PublishRequest request, char letter) =>
        request with
        {
            CacheTrust = new CacheTrust { Key = Key(letter) },
        };

    private static CacheSecret Key(char letter) =>
        CacheSecret.TryCreate(new string(letter, CacheSecret.MinLength), out var key) ? key : throw new InvalidOperationException();
}
