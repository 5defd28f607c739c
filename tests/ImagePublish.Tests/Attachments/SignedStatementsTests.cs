using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Signing;
using ImagePublish.Trust;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Attachments;

/// <summary>Statements are signed one by one, and what a verifier requires of them is what they say.</summary>
public sealed class SignedStatementsTests
{
    private const string Shop = "acme/shop";
    private const string Builder = "https://ci.example.test/runner/1";
    private const string Source = "https://git.example.test/acme/shop";

    private static readonly SigningKey Key = NewKey();
    private static readonly string Commit = new('a', 40);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static AttestationRequirements Provenance => new() { Provenance = true };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "provenance signed with a key, with and without the referrers API",
        "`VerifyImage` accepts it with that key and its content, and refuses another key, builder, source or commit"
    )]
    public async Task ASignedStatementMeetsWhatIsRequired(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var result = await bench.PublishAsync(Signed(bench, Key));

        AttestationRequirements[] met =
        [
            Provenance,
            new() { Builder = Builder },
            new() { Builder = "https://ci.example.test/*" },
            new() { Source = Source },
            new() { Source = "https://git.example.test/acme/*", Commit = Commit.ToUpperInvariant() },
        ];
        foreach (var one in met)
            Assert.Null((await VerifyAsync(bench, result, Trust(Key), one)).Failure);
        AttestationRequirements[] unmet =
        [
            new() { Builder = "https://ci.example.test/runner/2" },
            new() { Source = "https://git.example.test/acme" },
            new() { Commit = new string('b', 40) },
            new() { Sbom = true },
        ];
        foreach (var one in unmet)
            Assert.Equal(DiagnosticCodes.AttestationUnmet, (await VerifyAsync(bench, result, Trust(Key), one)).Failure?.Code);
        Assert.Equal(DiagnosticCodes.AttestationUnmet, (await VerifyAsync(bench, result, Trust(NewKey()), Provenance)).Failure?.Code);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "an image with signed statements is published again with the same key, here and on another machine",
        "no statement is signed twice"
    )]
    public async Task NothingIsSignedTwice()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var result = await bench.PublishAsync(Signed(bench, Key));

        Assert.True((await bench.PublishAsync(Signed(bench, Key))).IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);
        await bench.PublishAsync(Signed(bench, Key), machine: "other");

        Assert.Empty(bench.Server.Requests.Of(RegistryStep.ManifestPut));
        Assert.Single(await BundlesAsync(bench, result));
    }

    [Fact]
    [ReliabilityCase("Attachments", "unsigned provenance, where a signature is required", "IMG6046; accepted only with `unsigned`")]
    public async Task WhatNobodySignedCountsOnlyWhereThatIsSaid()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var result = await bench.PublishAsync(Attested(bench, AttestationPlacement.Referrers));

        var refused = await VerifyAsync(bench, result, Trust(Key), Provenance);
        Assert.Equal(DiagnosticCodes.AttestationUnmet, refused.Failure?.Code);
        Assert.Contains("not signed by a trusted signer", refused.Failure!.Message, StringComparison.Ordinal);
        Assert.Null((await VerifyAsync(bench, result, null, Provenance with { AcceptsUnsigned = true })).Failure);
    }

    [Fact]
    public async Task ASignedIndexCoversItsAttestations()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Attested(bench, AttestationPlacement.Index);
        var unsigned = await bench.PublishAsync(request);
        Assert.NotNull((await VerifyAsync(bench, unsigned, Trust(Key), Provenance)).Failure);

        var signed = await bench.PublishAsync(request with { Signing = new SigningRequest(Key, SignatureFormat.Bundle) });

        Assert.Null((await VerifyAsync(bench, signed, Trust(Key), Provenance with { Builder = Builder })).Failure);
    }

    [Fact]
    public async Task AStatementCanBeSignedWithoutAKey()
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var keyless = new SigningRequest(null, SignatureFormat.Bundle) { Keyless = sigstore.Request() };
        var request = Attested(bench, AttestationPlacement.Referrers);

        var result = await bench.PublishAsync(request with { Attestations = request.Attestations! with { Signing = keyless } });

        var report = await VerifyAsync(bench, result, new TrustPolicy([sigstore.Rule()]), Provenance with { Builder = Builder });
        Assert.Null(report.Failure);
        Assert.Contains(report.Attestations, one => one.Signer == $"{FakeSigstore.Subject} (by {FakeSigstore.Issuer})");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Attachments",
        "provenance signed for Notation through its manifest",
        "`VerifyImage` accepts it with the root, and not with another; it is not signed twice, and manifests that others "
            + "attached are not signed"
    )]
    public async Task ForNotationTheManifestIsSigned(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var authority = new TestAuthority();
        var request = Attested(bench, AttestationPlacement.Referrers);
        // Provenance of somebody else, which is there first.
        var foreign = request.Attestations! with
        {
            Provenance = request.Attestations.Provenance! with { BuilderId = "https://other.test" },
        };
        await bench.PublishAsync(request with { Attestations = foreign });
        var signing = NotationSigningTests.Signing(authority.Issue());
        request = request with { Signing = signing, Attestations = request.Attestations! with { Signing = signing } };

        var result = await bench.PublishAsync(request);
        await bench.PublishAsync(request with { Tags = [Tag.Parse("2.0")] }, machine: "other");

        var report = await VerifyAsync(bench, result, Roots(authority), Provenance with { Builder = Builder });
        Assert.Null(report.Failure);
        Assert.Equal(2, report.Attestations.Count);
        Assert.Equal("Acme signing", Assert.Single(report.Attestations, one => one.Signer is not null).Signer);
        Assert.Equal(
            DiagnosticCodes.AttestationUnmet,
            (await VerifyAsync(bench, result, Roots(new TestAuthority("Mallory")), Provenance)).Failure?.Code
        );

        static TrustPolicy Roots(TestAuthority authority) => new([new CertificateRule("root.crt", new TrustAnchors([authority.Root]))]);
    }

    [Theory]
    [InlineData("payload", "")]
    [InlineData("sig", "")]
    [InlineData("other image", "is about another image")]
    [InlineData("other type", "is of another type than its manifest says")]
    [ReliabilityCase(
        "Attachments",
        "a signed statement that was altered, is about another image, or has another type than its manifest says",
        "it does not count, and IMG6046 says why"
    )]
    public async Task AStatementThatDoesNotFitDoesNotCount(string what, string reason)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var result = await bench.PublishAsync(Signed(bench, Key));
        var entry = Assert.Single(await BundlesAsync(bench, result));
        var manifest = OciJson.ReadManifest(bench.Server.Content.Manifest(Shop, entry.Digest.Value)!.Bytes.Span);
        var bundle = JsonNode.Parse(bench.Server.Content.Blob(Shop, manifest.Layers[0].Digest.Value)!)!;
        await DeleteAsync(bench, entry.Digest);
        var (predicate, content) = await ChangeAsync(what, bundle);

        var attached = SignaturePayload.Attach(result.Image.Manifest.Descriptor, predicate, content);
        foreach (var blob in attached.Blobs)
            bench.Server.Content.PutBlob(Shop, ((MemoryBlobSource)blob).Content.ToArray());
        bench.Server.Content.PutManifest(Shop, null, attached.Manifest.Content.ToArray(), MediaTypes.OciManifest);
        var report = await VerifyAsync(bench, result, Trust(Key), Provenance);

        Assert.Equal(DiagnosticCodes.AttestationUnmet, report.Failure?.Code);
        Assert.Contains(report.Attestations, one => one.Problem is not null);
        if (what.StartsWith("other", StringComparison.Ordinal))
            Assert.Contains(reason, report.Failure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("git+https://h/acme/shop.git@refs/heads/main", "https://h/acme/shop")]
    [InlineData("https://h/acme/shop/", "https://h/acme/shop")]
    [InlineData("git+https://user@h/acme/shop@v1", "https://user@h/acme/shop")]
    [InlineData("https://h/acme/shop#frag", "https://h/acme/shop")]
    [InlineData("github.com/acme/shop@v1", "github.com/acme/shop")]
    public void AddressesOfRepositoriesAreCompared(string address, string expected) =>
        Assert.Equal(expected, AttestationClaims.Normalize(address));

    private static async Task<(string Predicate, byte[] Content)> ChangeAsync(string what, JsonNode bundle)
    {
        var envelope = bundle["dsseEnvelope"]!;
        var statement = JsonNode.Parse(Convert.FromBase64String((string)envelope["payload"]!))!;
        switch (what)
        {
            case "payload":
                statement["predicate"]!["runDetails"]!["builder"]!["id"] = "https://ci.example.test/runner/1";
                statement["predicate"]!["buildDefinition"]!["buildType"] = "x";
                envelope["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(statement.ToJsonString()));
                break;
            case "sig":
                var signature = envelope["signatures"]![0]!;
                var bytes = Convert.FromBase64String((string)signature["sig"]!);
                bytes[^1] ^= 1;
                signature["sig"] = Convert.ToBase64String(bytes);
                break;
            case "other image":
                var other = Statement.Create(AttachmentTypes.Provenance, Digest.Compute("other"u8), [null], json =>
                {
                    json.WriteStartObject();
                    json.WriteEndObject();
                });
                return (AttachmentTypes.Provenance, await SignaturePayload.CreateBundleAsync(Key, other.Blob.Content, Cancel));
            default:
                return (AttachmentTypes.Spdx, Encoding.UTF8.GetBytes(bundle.ToJsonString()));
        }

        return (AttachmentTypes.Provenance, Encoding.UTF8.GetBytes(bundle.ToJsonString()));
    }

    private static SigningKey NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return SigningKey.Parse("key", key.ExportPkcs8PrivateKeyPem(), null);
    }

    private static TrustPolicy Trust(SigningKey key) => new([new KeyRule("k.pub", VerificationKey.Read(key.Public.Info.Span))]);

    private static PublishRequest Attested(PublishingBench bench, AttestationPlacement placement) =>
        bench.Request("1.0") with
        {
            Attestations = new AttestationRequest(placement)
            {
                Provenance = PublishingBench.Facts with { Source = new SourceCommit(Source, "refs/heads/main", Commit) },
            },
        };

    private static PublishRequest Signed(PublishingBench bench, SigningKey key)
    {
        var request = Attested(bench, AttestationPlacement.Referrers);
        return request with { Attestations = request.Attestations! with { Signing = new SigningRequest(key, SignatureFormat.Bundle) } };
    }

    // As somebody does who knows nothing of the build.
    private static async Task<AttestationReport> VerifyAsync(
        PublishingBench bench,
        PublishResult result,
        TrustPolicy? trust,
        AttestationRequirements wanted
    )
    {
        await using var stranger = RegistryBench.For(bench.Server);
        var reporter = new SignatureReporter(stranger.Client, bench.Store("stranger"));
        var image = new ImagePublish.Bases.RegistryImage(bench.Named(Shop).ReferenceTo(result.Root.Descriptor.Digest));
        var signatures = await reporter.VerifyAsync(trust, image, Cancel);
        return await reporter.VerifyAttestationsAsync(signatures, trust, wanted, Cancel);
    }

    private static async Task<IReadOnlyList<Descriptor>> BundlesAsync(PublishingBench bench, PublishResult result)
    {
        await using var reader = RegistryBench.For(bench.Server);
        var listed = await reader.Client.ListReferrersAsync(bench.Named(Shop), result.Image.Digest, Cancel);
        return [.. listed!.Where(one => one.ArtifactType == SigstoreBundle.MediaType)];
    }

    private static async Task DeleteAsync(PublishingBench bench, Digest digest)
    {
        await using var other = RegistryBench.For(bench.Server);
        await other.Client.DeleteManifestAsync(bench.Named(Shop).ReferenceTo(digest), Cancel);
    }
}
