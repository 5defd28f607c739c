using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing.Keyless;
using ImagePublish.Testing;
using ImagePublish.Tests.Layers;
using ImagePublish.Tests.Publishing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Signing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Keyless signatures in a log of Rekor's second version, which gives no time and no promise: what is signed with it is verified,
/// and refused with each of its parts altered.</summary>
public sealed class RekorTilesTests(SharedTimeStamps shared) : IAsyncLifetime, IClassFixture<SharedTimeStamps>
{
    private const string LogPath = $"{FakeRekorTiles.Path}/api/v2/log/entries";
    private const string FirstLogPath = "/api/v1/log/entries";
    private const string Proof = "verificationMaterial/tlogEntries/0/inclusionProof";

    private static readonly Digest Image = Digest.Compute("image"u8);

    private readonly FakeRekorTiles tiles = new("Ed25519");
    private FakeSigstore sigstore = null!;
    private RegistryBench bench = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        sigstore = new FakeSigstore(tiles, (shared.Authority, shared.Server.Address));
        bench = await RegistryBench.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await bench.DisposeAsync();
        await sigstore.DisposeAsync();
        tiles.Dispose();
    }

    [Theory]
    [InlineData("Ed25519")]
    [InlineData("ECDSA")]
    [ReliabilityCase(
        "Signing",
        "a keyless publish with a signing config that names a log of Rekor's second version, whose key is Ed25519 or ECDSA",
        "a stranger accepts the bundle by proof, checkpoint and time-stamp; the log gets a hash and nothing of the statement; another identity is refused"
    )]
    public async Task AnImageIsSignedWithTheSecondVersion(string key)
    {
        using var log = new FakeRekorTiles(key);
        await using var instance = new FakeSigstore(log, (shared.Authority, shared.Server.Address));
        await using var publishing = await PublishingBench.StartAsync(hasReferrers: true);
        var request = instance.Request() with { Config = Config(instance) };
        var asked = shared.Server.Asked;

        var result = await publishing.PublishAsync(publishing.Request("1.0") with { Signing = Signing(request) });

        Assert.Equal(["/api/v2/signingCert", LogPath], instance.Asked);
        Assert.Equal(asked + 1, shared.Server.Asked);
        Assert.DoesNotContain("payload", log.Body, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(Assert.Single(await publishing.VerifyAsync(instance.Rule(), result.Image.Digest)).Accepted);
        var other = Assert.Single(await publishing.VerifyAsync(instance.Rule(subject: "someone else"), result.Image.Digest));
        Assert.Equal(DiagnosticCodes.SignerUntrusted, other.Refused?.Code);
    }

    // The root says that the log at the address is one of the second version.
    [Fact]
    public async Task TheRootKnowsWhichVersionAnAddressIs()
    {
        var bundle = JsonNode.Parse(await SignAsync())!;

        Assert.NotNull(Verify(Bytes(bundle)));
        var entry = bundle["verificationMaterial"]!["tlogEntries"]![0]!;
        Assert.Equal("""{"kind":"hashedrekord","version":"0.0.2"}""", entry["kindVersion"]!.ToJsonString());
        Assert.Null(entry["integratedTime"]);
        Assert.Null(entry["inclusionPromise"]);
    }

    /// <summary>A part of the bundle, by its path, and what is made of it.</summary>
    public static TheoryData<string, string, string> Altered =>
        [
            ($"{Proof}/checkpoint/envelope", "larger", "that the log did not sign"),
            ($"{Proof}/checkpoint/envelope", "renamed", "a checkpoint of 'other.example', which is another log"),
            ($"{Proof}/checkpoint/envelope", "nonsense", "malformed checkpoint"),
            ($"{Proof}/hashes/0", "flip", "does not lead to what the log signed"),
            ($"{Proof}/logIndex", "4", "does not lead to what the log signed"),
            (Proof, "remove", "neither a promise nor a proof"),
            ("verificationMaterial/tlogEntries/0/logId/keyId", "flip", "a log that is not trusted"),
            ("verificationMaterial/tlogEntries/0/canonicalizedBody", "flip", ""),
            ("verificationMaterial/tlogEntries/0/kindVersion/version", "0.0.1", "of another kind than its bundle says"),
            ("verificationMaterial/timestampVerificationData", "remove", "neither its log nor a time-stamp says when it was made"),
            ("verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp", "flip", "time-stamp"),
            ("dsseEnvelope/payload", "other image", "one of them was altered"),
        ];

    [Theory]
    [MemberData(nameof(Altered))]
    [ReliabilityCase(
        "Trust",
        "a keyless bundle with an entry of Rekor's second version and one part altered or removed: checkpoint, its name, proof, index, time-stamp, entry, statement",
        "refused, with the part that does not fit"
    )]
    public async Task AnAlteredPartIsRefused(string path, string change, string reason)
    {
        var altered = AlteredBundle.Create(await SignAsync(), path, change);

        Assert.Contains(reason, Refused(altered).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tlogEntries", "that of another signature")]
    [InlineData("timestampVerificationData", "its time-stamp is for another signature")]
    [ReliabilityCase(
        "Trust",
        "the entry of Rekor's second version, or the time-stamp, of another signature by the same identity",
        "refused"
    )]
    public async Task WhatBelongsToAnotherSignatureIsRefused(string part, string reason)
    {
        var other = JsonNode.Parse(await SignAsync())!;
        var bundle = JsonNode.Parse(await SignAsync())!;
        bundle["verificationMaterial"]![part] = other["verificationMaterial"]![part]!.DeepClone();

        Assert.Contains(reason, Refused(Bytes(bundle)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other.example", "other.example", "which is another log")]
    [InlineData("127.0.0.1", "other.example", "that the log did not sign")]
    [ReliabilityCase(
        "Trust",
        "a checkpoint that the log's key signed for a log of another name",
        "refused: its name is part of how a log is known"
    )]
    public async Task ACheckpointOfAnotherNameIsRefused(string origin, string signedBy, string reason)
    {
        (tiles.Origin, tiles.SignedBy) = (origin, signedBy);

        var error = await Assert.ThrowsAsync<ImagePublishException>(SignAsync);

        Assert.Equal(DiagnosticCodes.NotSigned, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    // Their keys are not in the root.
    [Fact]
    public async Task WitnessesMaySignTheCheckpointToo()
    {
        tiles.Witnesses = "\u2014 witness.example 4xUuvgAAAABoYWxsbw==\n\u2014 127.0.0.1 AAAAAGhhbGxv\n";

        Assert.NotNull(Verify(await SignAsync()));
    }

    // As it was before the first release: bundles of that time have it.
    [Fact]
    public async Task AnEntryOfAnEnvelopeIsVerified()
    {
        tiles.KeepsEnvelopes = true;
        tiles.Payload = CosignTests.Statement(Image.Value);

        Assert.NotNull(Verify(await SignAsync()));
        tiles.Payload = CosignTests.Statement(Digest.Compute("other"u8).Value);
        var error = await Assert.ThrowsAsync<ImagePublishException>(SignAsync);
        Assert.Contains("its log entry is for another content", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Trust",
        "a log of Rekor's second version that the trusted root ended before the time-stamp",
        "refused, though the entry itself has no time"
    )]
    public async Task TheLogMustHaveBeenTrustedAtTheTimeOfTheStamp()
    {
        var bundle = await SignAsync();
        var root = sigstore.RootJson();
        root["tlogs"]![0]!["publicKey"]!["validFor"]!["end"] = "2022-01-01T00:00:00Z";

        var refused = Assert.Throws<RefusedSignatureException>(() =>
            Verify(bundle, sigstore.Rule() with { Root = SigstoreRoot.Parse(Bytes(root)) })
        );

        Assert.Contains("its log was not trusted at", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a keyless publish with Rekor's second version and no authority of time-stamps, or one whose time-stamps the root does not trust",
        "IMG6044 before anything is in the log, and IMG6024; no tag moves"
    )]
    public async Task WithoutATimeStampNothingIsSigned()
    {
        await using var instance = new FakeSigstore(tiles);
        var log = Url(instance.Address + FakeRekorTiles.Path);
        await using var publishing = await PublishingBench.StartAsync(hasReferrers: true);

        await FailsAsync(DiagnosticCodes.TimeStampRefused, instance.Request() with { Log = log }, "Set ImageTimeStampUrl.");
        Assert.DoesNotContain(LogPath, instance.Asked);
        var untrusted = instance.Request() with { Log = log, TimeStamps = shared.Server.Address };
        await FailsAsync(DiagnosticCodes.NotSigned, untrusted, "its time-stamp is of no authority that is trusted");
        Assert.Null(publishing.TagDigest("acme/shop", "1.0"));

        async Task FailsAsync(DiagnosticCode code, KeylessRequest request, string reason)
        {
            var error = await RegistryBench.FailsAsync(code, () =>
                publishing.PublishAsync(publishing.Request("1.0") with { Signing = Signing(request) })
            );
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false, LogPath, LogPath)]
    [InlineData(true, LogPath, FirstLogPath)]
    [ReliabilityCase(
        "Signing",
        "a keyless signature at the tag `sha256-….sig`, whose readers know the first version of Rekor only, where both versions or the second alone are named",
        "the first version gets it; with the second alone IMG6043 says to use bundles"
    )]
    public async Task ASignatureAtTheTagIsOfTheFirstVersion(bool hasFirst, string bundleLog, string tagLog)
    {
        var request = sigstore.Request() with { Config = Config(sigstore, hasFirst) };
        var signer = new KeylessSigner(request, bench.Client.Services);

        await signer.SignAsync(CosignTests.Statement(Image.Value), Cancel);
        Assert.Equal(bundleLog, sigstore.Asked.Last());
        if (hasFirst)
        {
            await signer.SignTagAsync(Image, "registry.example.com/acme/shop:1.0", Cancel);
            Assert.Equal(tagLog, sigstore.Asked.Last());
            return;
        }

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.LogRefused, () =>
            signer.SignTagAsync(Image, "registry.example.com/acme/shop:1.0", Cancel)
        );
        Assert.Contains("Set ImageSignatureFormat to Bundle", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The selector, a count, and which of the services are asked.</summary>
    public static TheoryData<string, string> Selections =>
        [
            ("""{"selector":"ANY"}""", "new"),
            ("""{"selector":"ALL"}""", "new other"),
            ("""{"selector":"EXACT","count":2}""", "new other"),
            ("""{"selector":"EXACT","count":1}""", "new"),
        ];

    [Theory]
    [MemberData(nameof(Selections))]
    public void TheNewestOfTheHighestVersionAreSelected(string selector, string selected)
    {
        var config = Parse(
            Service("old", 2, "acme", "2024-01-01T00:00:00Z"),
            Service("new", 2, "acme", "2025-01-01T00:00:00Z"),
            Service("other", 2, "other", "2023-01-01T00:00:00Z"),
            Service("future", 2, "future", "2090-01-01T00:00:00Z"),
            Service("first", 1, "first", "2025-06-01T00:00:00Z"),
            Service("third", 3, "third", "2025-06-01T00:00:00Z")
        );

        var found = config.Logs.Select(DateTimeOffset.Parse("2026-11-30Z", System.Globalization.CultureInfo.InvariantCulture), 1, 2);

        Assert.Equal(selected, string.Join(' ', found.Select(one => one.Address)));

        SigningConfig Parse(params string[] services) =>
            SigningConfig.Parse(
                Encoding.UTF8.GetBytes(
                    $$"""{"mediaType":"{{SigningConfig.MediaType}}","rekorTlogUrls":[{{string.Join(',', services)}}],"rekorTlogConfig":{{selector}}}"""
                )
            );
    }

    [Fact]
    public async Task TooFewLogsAreAnError()
    {
        var config = Config(sigstore, hasFirst: false, """{"selector":"EXACT","count":2}""");
        var signer = new KeylessSigner(sigstore.Request() with { Config = config }, bench.Client.Services);

        var error = await RegistryBench.FailsAsync(DiagnosticCodes.LogRefused, () =>
            signer.SignAsync(CosignTests.Statement(Image.Value), Cancel)
        );

        Assert.Contains("names no log for today, or too few", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}""", "it is not a signing config")]
    [InlineData("""{"mediaType":"MEDIA","rekorTlogConfig":{"selector":"SOME"}}""", "'rekorTlogConfig' has a 'selector' other than")]
    [InlineData("""{"mediaType":"MEDIA","tsaConfig":{"selector":"EXACT","count":9}}""", "with a 'count' of 1 to 8")]
    [InlineData("""{"mediaType":"MEDIA","rekorTlogUrls":["https://x"]}""", "'rekorTlogUrls' is not a list of at most")]
    [InlineData("""{"mediaType":"MEDIA","caUrls":[{"majorApiVersion":1}]}""", "has no 'url'")]
    [InlineData("[]", "it is not a JSON object")]
    [ReliabilityCase("Signing", "a signing config of sigstore with something wrong about it", "IMG6016 with the reason")]
    public void ASigningConfigThatCantBeMeantIsRefused(string content, string reason)
    {
        using var folder = new TempFolder();
        var file = folder.File("signing_config.json", content.Replace("MEDIA", SigningConfig.MediaType, StringComparison.Ordinal));

        var error = Assert.Throws<ImagePublishException>(() => SigningConfig.ReadFile(file));

        Assert.Equal(DiagnosticCodes.TrustUnusable, error.Code);
        Assert.Contains("signing_config.json' can't name the services that sign: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static string Service(string url, int version, string owner, string start) =>
        $$"""{"url":"{{url}}","majorApiVersion":{{version}},"validFor":{"start":"{{start}}"},"operator":"{{owner}}"}""";

    private static SigningConfig Config(FakeSigstore sigstore, bool hasFirst = true, string selector = """{"selector":"ANY"}""")
    {
        List<string> logs = [Service(sigstore.Address + FakeRekorTiles.Path, 2, "fake", "2021-01-01T00:00:00Z")];
        if (hasFirst)
            logs.Add(Service(sigstore.Address, 1, "fake", "2020-01-01T00:00:00Z"));
        return SigningConfig.Parse(
            Encoding.UTF8.GetBytes(
                $$"""
                {
                  "mediaType": "{{SigningConfig.MediaType}}",
                  "caUrls": [{{Service(sigstore.Address, 1, "fake", "2020-01-01T00:00:00Z")}}],
                  "rekorTlogUrls": [{{string.Join(',', logs)}}],
                  "rekorTlogConfig": {{selector}},
                  "tsaUrls": [{{Service(
                    (string)sigstore.RootJson()["timestampAuthorities"]![0]!["uri"]!,
                    1,
                    "fake",
                    "2020-01-01T00:00:00Z"
                )}}],
                  "tsaConfig": {"selector": "ANY"}
                }
                """
            )
        );
    }

    private static SigningRequest Signing(KeylessRequest request) => new(null, SignatureFormat.Bundle) { Keyless = request };

    private static RequestUrl Url(string text) =>
        RequestUrl.TryParse(text, out var url) ? url : throw new ArgumentException(text, nameof(text));

    private async Task<byte[]> SignAsync()
    {
        var request = sigstore.Request() with { Log = Url(sigstore.Address + FakeRekorTiles.Path) };
        return await new KeylessSigner(request, bench.Client.Services).SignAsync(CosignTests.Statement(Image.Value), Cancel);
    }

    private RefusedSignatureException Refused(byte[] bundle) => Assert.Throws<RefusedSignatureException>(() => Verify(bundle));

    private AcceptedSignature Verify(byte[] content, KeylessRule? rule = null) => KeylessTests.Verify(rule ?? sigstore.Rule(), content);

    private static byte[] Bytes(JsonNode document) => Encoding.UTF8.GetBytes(document.ToJsonString());
}

/// <summary>One authority of time-stamps for all tests of a class: its keys take a while.</summary>
public sealed class SharedTimeStamps : IAsyncDisposable
{
    public SharedTimeStamps() => Server = new OpenSslTimeStamps(Authority);

    internal TestAuthority Authority { get; } = new();

    internal OpenSslTimeStamps Server { get; }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
