using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ImagePublish.Attachments;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing.Keyless;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Signing;

/// <summary>Images are signed without a key: by an identity, which a certificate and a log prove.</summary>
public sealed class KeylessSigningTests
{
    private const string Shop = "acme/shop";
    private const string CertificatePath = "/api/v2/signingCert";
    private const string LogPath = "/api/v1/log/entries";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Signing",
        "a keyless publish (the log has other entries), with and without the referrers API",
        "an independent verifier accepts the bundle with the trusted root and the identity, and refuses another identity or " + "issuer"
    )]
    public async Task AnIdentitySignsBeforeATagMoves(bool hasReferrers)
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers);

        var result = await bench.PublishAsync(Signed(bench, sigstore, "1.0"));

        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal("1.0", puts[^1]);
        var verified = Assert.Single(await bench.VerifyAsync(sigstore.Rule(), result.Image.Digest));
        Assert.Equal($"{FakeSigstore.Subject} (by {FakeSigstore.Issuer})", verified.Accepted?.Signer);
        await RefusesAsync(bench, sigstore.Rule(subject: FakeSigstore.Subject + "x"), result.Image.Digest);
        await RefusesAsync(bench, sigstore.Rule(issuer: FakeSigstore.Issuer + "x"), result.Image.Digest);
        Assert.Equal([CertificatePath, LogPath], sigstore.Asked);
    }

    [Theory]
    [InlineData("Tag", 2)]
    [InlineData("Both", 3)]
    [ReliabilityCase(
        "Signing",
        "a keyless publish of two tags with a signature at `sha256-….sig` (the log has its hash)",
        "an independent verifier accepts each with the trusted root and the identity, and refuses another identity; nothing is "
            + "signed or logged twice"
    )]
    public async Task AnIdentitySignsAtTheTag(string format, int signatures)
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = bench.Request("1.0", "latest") with
        {
            Signing = new SigningRequest(null, Enum.Parse<SignatureFormat>(format)) { Keyless = sigstore.Request() },
        };

        var result = await bench.PublishAsync(request);

        var verified = await bench.VerifyAsync(sigstore.Rule(), result.Image.Digest);
        Assert.Equal(signatures, verified.Count);
        Assert.All(verified, one => Assert.NotNull(one.Accepted));
        Assert.Equal(2, verified.Count(one => one.Form == SignatureForm.SimpleSigning));
        await RefusesAsync(bench, sigstore.Rule(subject: FakeSigstore.Subject + "x"), result.Image.Digest);
        Assert.Equal(signatures, sigstore.Asked.Count(path => path == LogPath));
        await bench.PublishAsync(request, machine: "other");
        Assert.Equal(signatures, sigstore.Asked.Count(path => path == LogPath));
        var manifest = OciJson.ReadManifest(
            bench.Server.Content.Manifest(Shop, SimpleSigning.TagOf(result.Image.Digest).Value)!.Bytes.Span
        );
        Assert.All(manifest.Layers, layer =>
            Assert.Equal(
                [
                    "dev.cosignproject.cosign/signature",
                    "dev.sigstore.cosign/bundle",
                    "dev.sigstore.cosign/certificate",
                    "dev.sigstore.cosign/chain",
                ],
                layer.Annotations!.Keys.Order(StringComparer.Ordinal)
            )
        );
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "the same identity publishes a keyless image again, here and on another machine",
        "here nothing is requested; there a certificate, to find out the identity, and no second log entry"
    )]
    public async Task WhatTheIdentitySignedIsNotSignedAgain()
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        await bench.PublishAsync(Signed(bench, sigstore, "1.0"));
        sigstore.Asked.Clear();

        var second = await bench.PublishAsync(Signed(bench, sigstore, "1.0"));
        Assert.True(second.IsUnchanged);
        Assert.Empty(sigstore.Asked);

        await bench.PublishAsync(Signed(bench, sigstore, "1.0"), machine: "other");
        Assert.Equal([CertificatePath], sigstore.Asked);

        var other = Signed(bench, sigstore, "1.0") with
        {
            Signing = Signing(sigstore.Request(FakeSigstore.Token("https://git.example.com/acme/other"))),
        };
        await bench.PublishAsync(other);
        Assert.Equal(2, (await bench.VerifyAsync(sigstore.Rule("https://git.example.com/acme/*"), second.Image.Digest)).Count);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a keyless publish whose provenance is signed, too",
        "one certificate for all signatures, requested while the registry confirms the image"
    )]
    public async Task OneCertificateIsRequestedWhileTheImageIsConfirmed()
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Signed(bench, sigstore, "1.0");
        var askedBefore = new TaskCompletionSource<bool>();
        var confirming = FaultAction.Custom("waits for the certificate", async (_, _, next) =>
        {
            var waited = DateTimeOffset.UtcNow.AddSeconds(20);
            while (!sigstore.Asked.Contains(CertificatePath) && DateTimeOffset.UtcNow < waited)
                await Task.Delay(10, Cancel);
            askedBefore.TrySetResult(sigstore.Asked.Contains(CertificatePath));
            await next();
        });
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestPut, confirming));

        await bench.PublishAsync(
            request with
            {
                Attestations = new AttestationRequest(AttestationPlacement.Referrers)
                {
                    Provenance = PublishingBench.Facts,
                    Signing = request.Signing,
                },
            }
        );

        Assert.True(await askedBefore.Task);
        Assert.Equal([CertificatePath, LogPath, LogPath], sigstore.Asked);
    }

    public static TheoryData<string, string, string> Failures =>
        [
            ("no token", "IMG6041", "it is not a JSON web token"),
            ("wrong audience", "IMG6041", "it is for 'other' (aud), and must be for 'sigstore'"),
            ("expired", "IMG6041", "it expired at"),
            ("nobody", "IMG6041", "it has no subject"),
            ("authority refuses", "IMG6042", "it answers 400 (There was an error processing the identity token)"),
            ("authority gives nothing", "IMG6042", "its answer has no certificate that can be used"),
            ("authority unreachable", "IMG6042", "Could not get a signing certificate: POST"),
            ("other key", "IMG6024", "its certificate is for another key"),
            ("no certificate log", "IMG6024", "has no proof that a log of certificates has it"),
            ("log refuses", "IMG6043", "it answers 400 (too large)"),
            ("log unreachable", "IMG6043", "Could not put the signature into the public log: POST"),
            ("log gives nothing", "IMG6043", "its log entry"),
            ("log enters something else", "IMG6024", "its log entry is that of another signature"),
            ("authority of time-stamps refuses", "IMG6044", "it answers 403 (no)"),
            ("authority of time-stamps gives nothing", "IMG6044", "its answer is not a time-stamp of the signature"),
            ("clock", "IMG6045", "The clock of this machine says"),
            ("other root", "IMG6024", "Check that ImageSigstoreRoot is the trusted root"),
        ];

    [Theory]
    [MemberData(nameof(Failures))]
    [ReliabilityCase(
        "Signing",
        "keyless: a malformed, expired or foreign token; an authority, log or time-stamp authority that refuses, is "
            + "unreachable or answers nonsense; a wrong clock",
        "a separate code for each, one line without a token, and no tag moves"
    )]
    public async Task NoTagMovesWithoutASignature(string what, string code, string reason)
    {
        await using var sigstore = new FakeSigstore();
        await using var stranger = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Break(what, sigstore, stranger, otherKey);

        var error = await Assert.ThrowsAnyAsync<ImagePublishException>(() =>
            bench.PublishAsync(bench.Request("1.0") with { Signing = Signing(request) })
        );

        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("eyJ", error.Message, StringComparison.Ordinal);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
    }

    [Fact]
    public void NothingOfATokenIsInAText()
    {
        var token = FakeSigstore.Token();
        var source = new IdentityTokenSource
        {
            Name = "the test",
            Value = token,
            Service = new TokenService("https://x", token),
        };
        var request = new KeylessRequest(source, SigstoreRoot.PublicGood);

        foreach (
            var text in (string?[])
                [source.ToString(), request.ToString(), Signing(request).ToString(), request.Id, Signing(request).Id.Value]
        )
            Assert.DoesNotContain(token.Split('.')[1], text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GitHubIsAskedForAToken()
    {
        await using var sigstore = new FakeSigstore();
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        sigstore.Faults["/token"] = (200, new JsonObject { ["value"] = FakeSigstore.Token() }.ToJsonString());
        var source = new IdentityTokenSource { Name = "GitHub", Service = new TokenService($"{sigstore.Address}/token?a=b", "secret") };

        var result = await bench.PublishAsync(bench.Request("1.0") with { Signing = Signing(sigstore.Request() with { Source = source }) });

        Assert.NotNull(Assert.Single(await bench.VerifyAsync(sigstore.Rule(), result.Image.Digest)).Accepted);
        sigstore.Faults["/token"] = (403, """{"message":"not allowed"}""");
        var error = await RegistryBench.FailsAsync(DiagnosticCodes.IdentityTokenMissing, () =>
            bench.PublishAsync(
                bench.Request("2.0") with
                {
                    Signing = Signing(sigstore.Request() with { Source = source with { Identity = "other" } }),
                }
            )
        );
        Assert.Contains("permissions: id-token: write", error.Message, StringComparison.Ordinal);
    }

    private static RequestUrl Url(string text) =>
        RequestUrl.TryParse(text, out var url) ? url : throw new ArgumentException(text, nameof(text));

    private static KeylessRequest Break(string what, FakeSigstore sigstore, FakeSigstore stranger, ECDsa otherKey)
    {
        var nowhere = Url($"http://127.0.0.1:{Ports.Free()}");
        var stamps = Url($"{sigstore.Address}/stamp");
        switch (what)
        {
            case "no token":
                return sigstore.Request("not-a-token");
            case "wrong audience":
                return sigstore.Request(FakeSigstore.Token(audience: "other"));
            case "expired":
                return sigstore.Request(FakeSigstore.Token(expires: DateTimeOffset.UtcNow.AddMinutes(-1)));
            case "nobody":
                return sigstore.Request(FakeSigstore.Token(subject: ""));
            case "authority refuses":
                sigstore.Faults[CertificatePath] = (400, """{"code":3,"message":"There was an error processing the identity token"}""");
                break;
            case "authority gives nothing":
                sigstore.Faults[CertificatePath] = (201, "{}");
                break;
            case "authority unreachable":
                return sigstore.Request() with { Authority = nowhere };
            case "other key":
                sigstore.CertifiedKey = otherKey;
                break;
            case "no certificate log":
                sigstore.HasCertificateLog = false;
                break;
            case "log refuses":
                sigstore.Faults[LogPath] = (400, "too large");
                break;
            case "log unreachable":
                return sigstore.Request() with { Log = nowhere };
            case "log gives nothing":
                sigstore.Faults[LogPath] = (201, "{}");
                break;
            case "log enters something else":
                sigstore.ChangeEntry = entry =>
                {
                    entry["spec"]!["signatures"]![0]!["signature"] = Convert.ToBase64String("other"u8);
                    return entry;
                };
                break;
            case "authority of time-stamps refuses":
                sigstore.Faults["/stamp"] = (403, "no");
                return sigstore.Request() with { TimeStamps = stamps };
            case "authority of time-stamps gives nothing":
                sigstore.Faults["/stamp"] = (200, "no");
                return sigstore.Request() with { TimeStamps = stamps };
            case "clock":
                sigstore.Now = () => DateTimeOffset.UtcNow.AddHours(2);
                break;
            case "other root":
                var address = Url(sigstore.Address);
                return stranger.Request() with { Authority = address, Log = address };
            default:
                throw new ArgumentException(what, nameof(what));
        }

        return sigstore.Request();
    }

    private static SigningRequest Signing(KeylessRequest request) => new(null, SignatureFormat.Bundle) { Keyless = request };

    private static PublishRequest Signed(PublishingBench bench, FakeSigstore sigstore, params string[] tags) =>
        bench.Request(tags) with
        {
            Signing = Signing(sigstore.Request()),
        };

    private static async Task RefusesAsync(PublishingBench bench, KeylessRule rule, Digest image) =>
        Assert.All(await bench.VerifyAsync(rule, image), one => Assert.Equal(DiagnosticCodes.SignerUntrusted, one.Refused?.Code));
}
