using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Signing;

/// <summary>Images are signed before a tag moves, once, and so that a stranger with the public key can see it.</summary>
public sealed class SigningStepTests
{
    private const string Shop = "acme/shop";

    private static readonly SigningKey Key = NewKey("P-256");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<bool, string> Keys =>
        [.. ((string[])["P-256", "P-384", "P-521", "RSA-2048"]).SelectMany(kind => new[] { (true, kind), (false, kind) })];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task AnImageIsSignedBeforeATagMoves(bool hasReferrers, string kind)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var key = NewKey(kind);

        var plain = await bench.PublishAsync(bench.Request("plain"));
        var result = await bench.PublishAsync(Signed(bench, key, SignatureFormat.Both, "1.0"));

        Assert.Equal(plain.Image.Digest, result.Image.Digest);
        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal("1.0", puts[^1]);
        Assert.Contains(SimpleSigning.TagOf(result.Image.Digest).Value, puts);
        var verified = await VerifyAsync(bench, key, result.Image.Digest);
        Assert.Equal(
            [SignatureForm.SigstoreBundle, SignatureForm.SimpleSigning],
            verified.Where(one => one.Accepted is not null).Select(one => one.Form)
        );
        Assert.All(await VerifyAsync(bench, NewKey(kind), result.Image.Digest), one =>
            Assert.Equal(DiagnosticCodes.SignatureInvalid, one.Refused!.Code)
        );
    }

    [Theory]
    [InlineData("Both", "SigstoreBundle SimpleSigning")]
    [InlineData("Bundle", "SigstoreBundle")]
    [InlineData("Tag", "SimpleSigning")]
    public async Task TheFormatDecidesWhatIsWritten(string format, string forms)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);

        var result = await bench.PublishAsync(Signed(bench, Key, Enum.Parse<SignatureFormat>(format), "1.0"));

        var verified = await VerifyAsync(bench, Key, result.Image.Digest);
        Assert.Equal(forms, string.Join(' ', verified.Select(one => one.Form)));
    }

    [Fact]
    public async Task ThePayloadIsCosignsWithTheNameThatIsPulled()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);

        var result = await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0", "latest"));

        var payloads = Layers(bench, result.Image.Digest).Select(layer => Text(bench, layer.Digest)).ToList();
        Assert.Equal(
            ((string[])["1.0", "latest"]).Select(tag =>
                $$$"""{"critical":{"identity":{"docker-reference":"{{{bench.Server.Host}}}/acme/shop:{{{tag}}}"},"image":{"docker-manifest-digest":"{{{result.Image.Digest}}}"},"type":"cosign container image signature"},"optional":null}"""
            ),
            payloads.Order(StringComparer.Ordinal)
        );
        var bundle = OciJson.ReadManifest(await BundleAsync(bench, result.Image.Digest));
        Assert.Equal(SigstoreBundle.MediaType, bundle.ArtifactType);
        Assert.Equal("dsse-envelope", bundle.Annotations!["dev.sigstore.bundle.content"]);
        Assert.Equal("https://sigstore.dev/cosign/sign/v1", bundle.Annotations!["dev.sigstore.bundle.predicateType"]);
        var content = JsonNode.Parse(Text(bench, Assert.Single(bundle.Layers).Digest))!;
        Assert.Equal(Key.Public.Hint, (string?)content["verificationMaterial"]!["publicKey"]!["hint"]);
        Assert.Equal(
            $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{result.Image.Digest.Hex}}}"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}""",
            Encoding.UTF8.GetString(Convert.FromBase64String((string)content["dsseEnvelope"]!["payload"]!))
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase("Signing", "a signed publish that changes nothing", "one HEAD for each tag, and nothing else")]
    public async Task AnUnchangedPublishAsksForTheTagsAlone(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0", "latest"));

        var second = await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0", "latest"));

        Assert.True(second.IsUnchanged);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(3, bench.Moved(RegistryStep.ManifestHead));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Signing",
        "another machine publishes a signed image again, with another tag too",
        "no second signature by the same key"
    )]
    public async Task WhatIsSignedIsNotSignedTwice(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var first = await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0"));
        var bundle = await BundleAsync(bench, first.Image.Digest);

        var again = await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0"), machine: "other");
        Assert.True(again.IsUnchanged);
        Assert.Empty(bench.Server.Requests.Of(RegistryStep.ManifestPut));
        await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "2.0"), machine: "third");

        Assert.Equal(bundle, await BundleAsync(bench, first.Image.Digest));
        // A layer for each name that it is pulled by.
        Assert.Equal(2, Layers(bench, first.Image.Digest).Count);
    }

    [Theory]
    [InlineData(true, "Both", 9)]
    [InlineData(true, "Bundle", 4)]
    [InlineData(true, "Tag", 5)]
    [InlineData(false, "Both", 11)]
    [InlineData(false, "Bundle", 6)]
    [ReliabilityCase("Signing", "a changed image that is signed in both forms", "9 more requests with the referrers API, 11 without it")]
    public async Task ItCostsSoManyRequests(bool hasReferrers, string format, int more)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        await bench.PublishAsync(Signed(bench, Key, Enum.Parse<SignatureFormat>(format), "1.0"));
        bench.Write("App.dll", "app 2");
        await bench.PublishAsync(Signed(bench, Key, Enum.Parse<SignatureFormat>(format), "1.0"));

        // Between the image's manifest, which is there first, and the tag, which moves last.
        var steps = bench.Server.Requests.Select(request => request.Step).ToList();
        var between = steps.LastIndexOf(RegistryStep.ManifestPut) - steps.IndexOf(RegistryStep.ManifestPut) - 1;
        Assert.True(more == between, $"{between} instead of {more}:\n{bench.Server.Requests}");
    }

    [Fact]
    public async Task AnotherKeySignsBesideTheFirst()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: false);
        var other = NewKey("P-384");
        var first = await bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0"));

        var second = await bench.PublishAsync(Signed(bench, other, SignatureFormat.Both, "1.0"));

        Assert.True(second.IsUnchanged);
        foreach (var key in (SigningKey[])[Key, other])
            Assert.Equal(2, (await VerifyAsync(bench, key, first.Image.Digest)).Count(one => one.Accepted is not null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Signing",
        "an altered signature in place of our own",
        "refused during verification, and signed again by the next publish that has to check"
    )]
    public async Task AnAlteredSignatureIsRefusedAndMadeAgain(bool isBundle)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var format = isBundle ? SignatureFormat.Bundle : SignatureFormat.Tag;
        var result = await bench.PublishAsync(Signed(bench, Key, format, "1.0"));
        await AlterAsync(bench, result.Image.Digest, isBundle);
        Assert.All(await VerifyAsync(bench, Key, result.Image.Digest), one =>
            Assert.Equal(DiagnosticCodes.SignatureInvalid, one.Refused!.Code)
        );

        await bench.PublishAsync(Signed(bench, Key, format, "1.0"), machine: "other");

        Assert.Contains(await VerifyAsync(bench, Key, result.Image.Digest), one => one.Accepted is not null);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(415)]
    [ReliabilityCase("Signing", "a registry that refuses the signature", "an error with a code, and no tag moves")]
    public async Task NoTagMovesWhereASignatureIsRefused(int status)
    {
        foreach (var format in (SignatureFormat[])[SignatureFormat.Both, SignatureFormat.Bundle, SignatureFormat.Tag])
        {
            await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
            // The first is the image itself; the tag would be taken.
            var refusal = bench.Server.Faults.Add(
                new Fault(RegistryStep.ManifestPut, FaultAction.Status(status))
                {
                    When = request => request.Reference != "1.0",
                    Times = Fault.Always,
                    Skip = 1,
                }
            );

            var error = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Signed(bench, Key, format, "1.0")));

            Assert.NotEqual(0, refusal.Hits);
            Assert.Null(bench.TagDigest(Shop, "1.0"));
            if (format == SignatureFormat.Tag)
                Assert.Contains("ImageSignatureFormat=Bundle", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [ReliabilityCase("Signing", "one of two registries refuses the signature", "no tag moves in either")]
    public async Task NoTagMovesAnywhereWhereOneDestinationRefuses()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Signed(bench, Key, SignatureFormat.Tag, "1.0");
        var probe = await bench.PublishAsync(bench.Request("probe"));
        SeedImageAt(bench, "prod/shop", SimpleSigning.TagOf(probe.Image.Digest).Value);

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.NotSigned, () =>
            bench.PublishAsync(request with { Destinations = [bench.Named(Shop), bench.Named("prod/shop")] })
        );

        Assert.Contains("it is something else", error.Message, StringComparison.Ordinal);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
        Assert.Null(bench.TagDigest("prod/shop", "1.0"));
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a registry that loses what it confirmed of a signature",
        "reading the signature back fails: IMG6024, and no tag moves"
    )]
    public async Task NoTagMovesWhereTheSignatureIsNotThereAfterwards()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        bench.Server.Faults.Add(
            new Fault(RegistryStep.BlobGet, FaultAction.Status(404))
            {
                Times = Fault.Always,
                // The base's config is the first.
                Skip = 1,
            }
        );

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.NotSigned, () =>
            bench.PublishAsync(Signed(bench, Key, SignatureFormat.Both, "1.0"))
        );

        Assert.Contains("can't be read back or verified", error.Message, StringComparison.Ordinal);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnIndexIsSignedAndItsPlatformsAreNot(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var image = await bench.PublishAsync(bench.Request());
        var request = new IndexRequest
        {
            Images = [image.Image.IndexEntry],
            Destinations = [bench.Named(Shop)],
            LocalName = Shop,
            Tags = [Tag.Parse("1.0")],
            Signing = new SigningRequest(Key, SignatureFormat.Both),
        };

        var joined = await bench.PublishAsync(request);
        var again = await bench.PublishAsync(request);
        Assert.Equal(1, bench.Server.Requests.Count - bench.Moved(RegistryStep.Ping));

        Assert.Equal(2, (await VerifyAsync(bench, Key, joined.Index.Descriptor.Digest)).Count(one => one.Accepted is not null));
        Assert.Empty(await VerifyAsync(bench, Key, image.Image.Digest));
        Assert.True(again.IsUnchanged);
    }

    [Fact]
    public async Task AnIndexThatIsThereGetsItsSignature()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var image = await bench.PublishAsync(bench.Request());
        var request = new IndexRequest
        {
            Images = [image.Image.IndexEntry],
            Destinations = [bench.Named(Shop)],
            LocalName = Shop,
            Tags = [Tag.Parse("1.0")],
        };
        var joined = await bench.PublishAsync(request);

        var again = await bench.PublishAsync(request with { Signing = new SigningRequest(Key, SignatureFormat.Both) });

        Assert.True(again.IsUnchanged);
        Assert.Equal(2, (await VerifyAsync(bench, Key, joined.Index.Descriptor.Digest)).Count(one => one.Accepted is not null));
    }

    [Fact]
    public async Task APlanSignsNothing()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);

        await bench.PlanAsync(Signed(bench, Key, SignatureFormat.Both, "1.0"));

        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.UploadPut));
    }

    [Fact]
    public async Task AnImageInTheStoreHasABundle()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Signed(bench, Key, SignatureFormat.Both, "1.0") with { Destinations = [] };

        var result = await bench.PublishAsync(request);
        await bench.PublishAsync(request);

        var attached = Assert.Single(await bench.Store().ListAttachmentsAsync(result.Image.Digest, Cancel));
        Assert.Equal(SigstoreBundle.MediaType, attached.ArtifactType);
        Assert.NotNull(await bench.Store().FindReferenceAsync($"{Shop}:1.0", Cancel));
    }

    [Fact]
    public async Task TheFingerprintKnowsTheKeyAndNothingOfItsSecret()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = ecdsa.ExportPkcs8PrivateKeyPem();
        var one = Signed(bench, SigningKey.Parse("one", pem, null), SignatureFormat.Both, "1.0");
        var same = Signed(bench, SigningKey.Parse("other name", pem, null), SignatureFormat.Both, "1.0");

        Assert.Equal(Fingerprint(one), Fingerprint(same));
        Assert.NotEqual(Fingerprint(one), Fingerprint(one with { Signing = null }));
        Assert.NotEqual(Fingerprint(one), Fingerprint(Signed(bench, Key, SignatureFormat.Both, "1.0")));
        Assert.NotEqual(Fingerprint(one), Fingerprint(Signed(bench, SigningKey.Parse("one", pem, null), SignatureFormat.Tag, "1.0")));
        Assert.DoesNotContain("PRIVATE", one.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(pem.Split('\n')[1], one.ToString(), StringComparison.Ordinal);

        static Digest Fingerprint(PublishRequest request) => ImagePublish.UpToDate.RequestFingerprint.Compute(request);
    }

    private static SigningKey NewKey(string kind)
    {
        using var key = TestAuthority.NewKey(kind);
        return SigningKey.Parse(kind, key.ExportPkcs8PrivateKeyPem(), null);
    }

    private static PublishRequest Signed(PublishingBench bench, SigningKey key, SignatureFormat format, params string[] tags) =>
        bench.Request(tags) with
        {
            Signing = new SigningRequest(key, format),
        };

    private static Task<IReadOnlyList<SignatureResult>> VerifyAsync(PublishingBench bench, SigningKey key, Digest image) =>
        bench.VerifyAsync(new KeyRule("k.pub", VerificationKey.Read(key.Public.Info.Span)), image);

    private static IReadOnlyList<Descriptor> Layers(PublishingBench bench, Digest image) =>
        OciJson.ReadManifest(bench.Server.Content.Manifest(Shop, SimpleSigning.TagOf(image).Value)!.Bytes.Span).Layers;

    private static string Text(PublishingBench bench, Digest blob) => Encoding.UTF8.GetString(bench.Server.Content.Blob(Shop, blob.Value)!);

    private static async Task<byte[]> BundleAsync(PublishingBench bench, Digest image)
    {
        await using var reader = RegistryBench.For(bench.Server);
        var listed = await reader.Client.ListReferrersAsync(bench.Named(Shop), image, Cancel)
            ?? await ReferrersTag.ListAsync(reader.Client, bench.Named(Shop), image, Cancel);
        var bundle = Assert.Single(listed);
        return bench.Server.Content.Manifest(Shop, bundle.Digest.Value)!.Bytes.ToArray();
    }

    private static async Task AlterAsync(PublishingBench bench, Digest image, bool isBundle)
    {
        var tag = SimpleSigning.TagOf(image).Value;
        var manifest = JsonNode.Parse(
            isBundle ? await BundleAsync(bench, image) : bench.Server.Content.Manifest(Shop, tag)!.Bytes.ToArray()
        )!;
        var layer = manifest["layers"]![0]!;
        if (isBundle)
        {
            var content = JsonNode.Parse(Text(bench, Digest.Parse((string)layer["digest"]!)))!;
            var signature = content["dsseEnvelope"]!["signatures"]![0]!;
            signature["sig"] = Flip((string)signature["sig"]!);
            var altered = Encoding.UTF8.GetBytes(content.ToJsonString());
            await using var other = RegistryBench.For(bench.Server);
            var original = Digest.Compute(await BundleAsync(bench, image));
            await other.Client.DeleteManifestAsync(bench.Named(Shop).ReferenceTo(original), Cancel);
            layer["digest"] = bench.Server.Content.PutBlob(Shop, altered);
            layer["size"] = altered.Length;
        }
        else
        {
            var annotations = layer["annotations"]!;
            annotations[SimpleSigning.SignatureAnnotation] = Flip((string)annotations[SimpleSigning.SignatureAnnotation]!);
        }

        bench.Server.Content.PutManifest(
            Shop,
            isBundle ? null : tag,
            Encoding.UTF8.GetBytes(manifest.ToJsonString()),
            MediaTypes.OciManifest
        );
    }

    private static string Flip(string base64)
    {
        var bytes = Convert.FromBase64String(base64);
        bytes[^1] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    private static void SeedImageAt(PublishingBench bench, string repository, string tag)
    {
        var content = "layer"u8.ToArray();
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(MediaTypes.OciConfig, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Descriptor(MediaTypes.OciLayer, content)),
        };
        bench.Server.Content.PutManifest(repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);

        JsonObject Descriptor(string mediaType, byte[] bytes) =>
            new()
            {
                ["mediaType"] = mediaType,
                ["digest"] = bench.Server.Content.PutBlob(repository, bytes),
                ["size"] = bytes.Length,
            };
    }
}
