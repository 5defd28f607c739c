using System.Security.Cryptography;
using System.Security.Cryptography.Cose;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Signing.Notation;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Signing;

/// <summary>Images are signed for Notation, with a key and its certificates.</summary>
public sealed class NotationSigningTests
{
    private const string Shop = "acme/shop";

    private static readonly TestAuthority Authority = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> KeysAndEnvelopes =>
        [
            .. ((string[])["P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"]).SelectMany(kind =>
                new[] { (kind, JwsEnvelope.MediaType), (kind, CoseEnvelope.MediaType) }
            ),
        ];

    [Theory]
    [MemberData(nameof(KeysAndEnvelopes))]
    [ReliabilityCase(
        "Signing",
        "Notation signatures in JWS and COSE, with each kind of key that the Notary Project allows",
        "an independent verifier accepts them with the root, and not with another; they are attached before a tag moves"
    )]
    public async Task AStrangerWithTheRootAcceptsIt(string kind, string envelope)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);

        var result = await bench.PublishAsync(Signed(bench, Authority.Issue(kind), envelope));

        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal("1.0", puts[^1]);
        var verified = Assert.Single(await VerifyAsync(bench, Authority, result.Image.Digest));
        Assert.Equal("Acme signing", verified.Accepted?.Signer);
        var refused = Assert.Single(await VerifyAsync(bench, new TestAuthority("Mallory"), result.Image.Digest));
        Assert.Equal(DiagnosticCodes.SignerUntrusted, refused.Refused?.Code);
    }

    [Theory]
    [InlineData(JwsEnvelope.MediaType)]
    [InlineData(CoseEnvelope.MediaType)]
    public async Task TheManifestAndTheEnvelopeAreAsTheNotaryProjectWantsThem(string envelope)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var signer = Authority.Issue();

        var result = await bench.PublishAsync(Signed(bench, signer, envelope));

        var image = result.Image.Manifest.Descriptor;
        var manifest = await SignatureAsync(bench, image.Digest);
        Assert.Equal("application/vnd.cncf.notary.signature", manifest.ArtifactType);
        Assert.Equal("application/vnd.oci.empty.v1+json", manifest.Config.MediaType);
        Assert.Equal(
            (image.MediaType, image.Digest, image.Size),
            (manifest.Subject!.MediaType, manifest.Subject.Digest, manifest.Subject.Size)
        );
        Assert.Equal(
            JsonSerializer.Serialize(signer.Chain.Select(one => Convert.ToHexStringLower(SHA256.HashData(one.RawData)))),
            manifest.Annotations!["io.cncf.notary.x509chain.thumbprint#S256"]
        );
        var layer = Assert.Single(manifest.Layers);
        Assert.Equal(envelope, layer.MediaType);
        var payload =
            $$$"""{"targetArtifact":{"mediaType":"{{{image.MediaType}}}","digest":"{{{image.Digest}}}","size":{{{image.Size}}}}}""";
        var content = bench.Server.Content.Blob(Shop, layer.Digest.Value)!;
        if (envelope == CoseEnvelope.MediaType)
            RequireCose(content, signer, payload);
        else
            RequireJws(content, signer, payload);
    }

    private static void RequireJws(byte[] content, TestSigner signer, string payload)
    {
        var jws = JsonElement.Parse(content);
        string Part(string name) => jws.GetProperty(name).GetString()!;
        string Decoded(string name) => Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(Part(name)));

        Assert.Equal(payload, Decoded("payload"));
        var header = JsonElement.Parse(Decoded("protected"));
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal("application/vnd.cncf.notary.payload.v1+json", header.GetProperty("cty").GetString());
        Assert.Equal("""["io.cncf.notary.signingScheme"]""", header.GetProperty("crit").GetRawText());
        Assert.Equal("notary.x509", header.GetProperty("io.cncf.notary.signingScheme").GetString());
        Assert.Matches(@"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z", header.GetProperty("io.cncf.notary.signingTime").GetString());
        var chain = jws.GetProperty("header").GetProperty("x5c").EnumerateArray().Select(one => one.GetBytesFromBase64());
        Assert.Equal(signer.Chain.Select(one => one.RawData), chain);
        var signature = System.Buffers.Text.Base64Url.DecodeFromChars(Part("signature"));
        var signed = Encoding.ASCII.GetBytes($"{Part("protected")}.{Part("payload")}");
        Assert.True(((ECDsa)signer.Key).VerifyData(signed, signature, HashAlgorithmName.SHA256));
    }

    // .NET's own COSE did not write it.
    private static void RequireCose(byte[] content, TestSigner signer, string payload)
    {
        var message = CoseMessage.DecodeSign1(content);
        Assert.True(message.VerifyEmbedded(signer.Key));
        Assert.Equal(payload, Encoding.UTF8.GetString(message.Content!.Value.Span));
        var headers = message.ProtectedHeaders;
        Assert.Equal(-7, headers[CoseHeaderLabel.Algorithm].GetValueAsInt32());
        Assert.Equal("application/vnd.cncf.notary.payload.v1+json", headers[CoseHeaderLabel.ContentType].GetValueAsString());
        Assert.Equal("notary.x509", headers[new CoseHeaderLabel("io.cncf.notary.signingScheme")].GetValueAsString());
        // An instant is a number with the tag 1.
        Assert.Equal(0xC1, headers[new CoseHeaderLabel("io.cncf.notary.signingTime")].EncodedValue.Span[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [ReliabilityCase(
        "Signing",
        "an image with a Notation signature is published again, here and on another machine, and after its certificate was " + "renewed",
        "here only the tag is requested; there is no second signature; a new one with the new certificate"
    )]
    public async Task WhatIsSignedIsNotSignedAgain(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var signer = Authority.Issue();
        await bench.PublishAsync(Signed(bench, signer));

        var second = await bench.PublishAsync(Signed(bench, signer));
        Assert.True(second.IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);

        await bench.PublishAsync(Signed(bench, signer), machine: "other");
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut));
        await bench.PublishAsync(Signed(bench, signer, CoseEnvelope.MediaType), machine: "third");
        Assert.Equal(0, bench.Moved(RegistryStep.ManifestPut));
        Assert.Single(await VerifyAsync(bench, Authority, second.Image.Digest));

        await bench.PublishAsync(Signed(bench, Authority.Issue(signer.Key)));
        Assert.Equal(2, (await VerifyAsync(bench, Authority, second.Image.Digest)).Count(one => one.Accepted is not null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AllFormsGoTogetherWithOneChangeOfTheList(bool hasReferrers)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers);
        var signer = Authority.Issue();

        var result = await bench.PublishAsync(Signed(bench, signer, format: SignatureFormat.Both | SignatureFormat.Notation));

        var puts = bench.Server.Requests.Of(RegistryStep.ManifestPut).Select(one => one.Path.Split('/')[^1]).ToList();
        Assert.Equal(hasReferrers ? 0 : 1, puts.Count(name => name == ReferrersTag.NameOf(result.Image.Digest)));
        var verified = await VerifyAsync(bench, Authority, result.Image.Digest);
        Assert.Equal(
            [SignatureForm.Notation, SignatureForm.SigstoreBundle, SignatureForm.SimpleSigning],
            verified.Select(one => one.Form).Order()
        );
        Assert.NotNull(verified.Single(one => one.Form == SignatureForm.Notation).Accepted);
    }

    [Theory]
    [InlineData(JwsEnvelope.MediaType)]
    [InlineData(CoseEnvelope.MediaType)]
    public async Task AnAlteredOneIsRefused(string envelope)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var result = await bench.PublishAsync(Signed(bench, Authority.Issue(), envelope));
        var manifest = await SignatureAsync(bench, result.Image.Digest);
        var content = bench.Server.Content.Blob(Shop, manifest.Layers[0].Digest.Value)!.ToArray();
        // In the signature, which is at the end of both.
        content[^20] = content[^20] == (byte)'A' ? (byte)'B' : (byte)'A';
        var altered = new SignatureArtifact(SignatureForm.Notation, manifest.Layers[0].Digest) { MediaType = envelope, Content = content };
        var rule = new CertificateRule("root.crt", new TrustAnchors([Authority.Root]));

        var refused = Assert.Throws<RefusedSignatureException>(() =>
            rule.Verify(altered, bench.Named(Shop), result.Image.Digest, DateTimeOffset.UtcNow)
        );

        Assert.Contains("it does not fit its content", refused.Message, StringComparison.Ordinal);
    }

    // The bytes are those of notation-core-go's conformance test, without what is not here.
    [Fact]
    public void TheHeadersAreWrittenAsNotationWritesThem()
    {
        var signingTime = DateTimeOffset.FromUnixTimeSeconds(1661321924);

        var cose = UnsignedEnvelope.Create(CoseEnvelope.MediaType, "hello COSE"u8.ToArray(), SignatureAlgorithm.RsaPssSha384, signingTime);

        const string Headers =
            "A5013825028178 1C696F2E636E63662E6E6F746172792E7369676E696E67536368656D65 03 782B6170706C69636174696F6E2F766E642E636E63662E"
            + "6E6F746172792E7061796C6F61642E76312B6A736F6E 781A696F2E636E63662E6E6F746172792E7369676E696E6754696D65 C11A6305C2C4 "
            + "781C696F2E636E63662E6E6F746172792E7369676E696E67536368656D65 6B6E6F746172792E78353039";
        var expected = Headers.Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains($"58{expected.Length / 2:X2}{expected}404A68656C6C6F20434F5345", Convert.ToHexString(cose.SignedBytes));
    }

    public static TheoryData<Fault> Refusals =>
        [
            // The first manifest is the image itself, and the first blob the base's config. The tag would be taken.
            .. ((int[])[403, 415]).Select(status => new TheoryDataRow<Fault>(
                new Fault(RegistryStep.ManifestPut, FaultAction.Status(status))
                {
                    When = request => request.Reference != "1.0",
                    Times = Fault.Always,
                    Skip = 1,
                }
            )),
            new(new Fault(RegistryStep.BlobGet, FaultAction.Status(404)) { Times = Fault.Always, Skip = 1 }),
        ];

    [Theory]
    [MemberData(nameof(Refusals))]
    [ReliabilityCase("Signing", "a registry that refuses a Notation signature, or loses it", "an error with a code, and no tag moves")]
    public async Task WithoutItsSignatureNoTagMoves(Fault fault)
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        bench.Server.Faults.Add(fault);

        await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Signed(bench, Authority.Issue())));

        Assert.True(fault.Hits > 0);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
    }

    [Fact]
    public async Task OfSeveralPlatformsTheIndexIsSigned()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var image = await bench.PublishAsync(bench.Request());
        var request = new IndexRequest
        {
            Images = [image.Image.IndexEntry],
            Destinations = [bench.Named(Shop)],
            LocalName = Shop,
            Tags = [Tag.Parse("1.0")],
            Signing = Signed(bench, Authority.Issue()).Signing,
        };

        var joined = await bench.PublishAsync(request);

        Assert.NotNull(Assert.Single(await VerifyAsync(bench, Authority, joined.Index.Descriptor.Digest)).Accepted);
        Assert.Empty(await VerifyAsync(bench, Authority, image.Image.Digest));
    }

    [Fact]
    public async Task TheStoreHasItToo()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var request = Signed(bench, Authority.Issue()) with { Destinations = [] };

        var result = await bench.PublishAsync(request);
        await bench.PublishAsync(request);

        var attached = Assert.Single(await bench.Store().ListAttachmentsAsync(result.Image.Digest, Cancel));
        Assert.Equal(NotationEnvelope.ArtifactType, attached.ArtifactType);
    }

    [Theory]
    [InlineData(JwsEnvelope.MediaType)]
    [InlineData(CoseEnvelope.MediaType)]
    [ReliabilityCase(
        "Signing",
        "a Notation signature with a time-stamp (OpenSSL's authority), after its certificate has expired",
        "accepted if the time-stamp authority is trusted; without the time-stamp it is IMG6020"
    )]
    public async Task ATimeStampOutlivesTheCertificate(string envelope)
    {
        await using var stamps = new OpenSslTimeStamps(Authority);
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var signer = Authority.Issue();
        await bench.PublishAsync(Signed(bench, signer, envelope));
        var later = new FixedTime(DateTimeOffset.UtcNow.AddDays(20));
        var request = Signed(bench, signer, envelope);
        request = request with
        {
            Signing = request.Signing! with { Notation = request.Signing.Notation! with { TimeStamps = stamps.Address } },
        };

        var result = await bench.PublishAsync(request);
        await bench.PublishAsync(request, machine: "other");

        Assert.Equal(1, stamps.Asked);
        var verified = await VerifyAsync(bench, Authority, result.Image.Digest, later);
        Assert.Single(verified, one => one.Accepted is not null);
        Assert.Equal(DiagnosticCodes.SignatureExpired, Assert.Single(verified, one => one.Accepted is null).Refused!.Code);
    }

    [Fact]
    [ReliabilityCase("Signing", "a Notation signature whose time-stamp authority is unreachable", "IMG6044, and no tag moves")]
    public async Task WithoutItsTimeStampNoTagMoves()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        Assert.True(Http.RequestUrl.TryParse($"http://127.0.0.1:{Ports.Free()}/", out var nobody));
        var request = Signed(bench, Authority.Issue());
        request = request with { Signing = request.Signing! with { Notation = request.Signing.Notation! with { TimeStamps = nobody } } };

        var error = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request));

        Assert.Equal(DiagnosticCodes.TimeStampRefused, error.Code);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
    }

    public static TheoryData<string, string> WrongCertificates =>
        [
            ("none", "there is no certificate in PEM"),
            ("damaged", "a certificate of it is malformed"),
            ("out of order", "is a root and not the last one"),
            ("middle first", "'Acme authority' is followed by 'Acme signing', and was issued by 'Acme root'"),
            ("no root", "the last one, of 'Acme authority', is no root. Add the certificate of 'Acme root'"),
            ("leaf alone", "the last one, of 'Acme signing', is no root. Add the certificate of 'Acme authority'"),
            ("unrelated", "'Acme root' is a root and not the last one"),
            ("another of that name", "are no valid chain (NotSignatureValid)"),
            ("expired", "the one of 'Acme signing' is valid from"),
            ("not yet", "the one of 'Acme signing' is valid from"),
            ("server", "is for another purpose than signing code"),
            ("time-stamps", "is for another purpose than signing code"),
            ("no usage", "is not marked as one for digital signatures"),
            ("also encryption", "is for more than digital signatures (KeyEncipherment), which notation refuses"),
            ("authority", "is an authority's, which must not sign images itself"),
            ("sha1", "which can be forged"),
            ("RSA-1024", "the RSA key has 1024 bits; 2048 to 8192 are accepted"),
            ("RSA-2560", "notation takes RSA keys with 2048, 3072 and 4096 bits only"),
            ("secp256k1", "on a curve other than P-256, P-384 and P-521"),
        ];

    [Theory]
    [MemberData(nameof(WrongCertificates))]
    [ReliabilityCase(
        "Signing",
        "certificates that notation refuses: out of order, incomplete, of someone else, expired, for another purpose, weak",
        "IMG6050 with the reason, before anything is built"
    )]
    public void CertificatesThatNotationRefusesAreNotSignedWith(string what, string reason)
    {
        var error = Assert.Throws<ImagePublishException>(() => Parse(Pem(what)));

        Assert.Equal(DiagnosticCodes.SigningCertificatesUnusable, error.Code);
        Assert.Contains("the certificates of chain.pem: ", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Contains(reason, StringComparison.Ordinal), error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void CertificatesOfAnotherKeyAreNotSignedWith()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var certificates = Parse(Pem("P-256"));

        var error = Assert.Throws<ImagePublishException>(() =>
            certificates.RequireKey(VerificationKey.Read(key.ExportSubjectPublicKeyInfo()))
        );

        Assert.Equal(DiagnosticCodes.SigningCertificatesUnusable, error.Code);
        Assert.Contains(
            "of 'Acme signing', is for another key (ECDSA P-256) than the one that signs (ECDSA P-384)",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ASelfSignedCertificateIsAccepted()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Me", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(TestAuthority.CodeSigning)], false));
        var own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

        var result = await bench.PublishAsync(Signed(bench, new TestSigner(key, [own])));

        var verified = await bench.VerifyAsync(new CertificateRule("me.crt", new TrustAnchors([own])), result.Image.Digest);
        Assert.Equal("Me", Assert.Single(verified).Accepted?.Signer);
    }

    [Fact]
    public async Task TheFingerprintKnowsTheCertificates()
    {
        await using var bench = await PublishingBench.StartAsync(hasReferrers: true);
        var signer = Authority.Issue();

        Digest[] fingerprints =
        [
            .. (
                (PublishRequest[])
                    [
                        Signed(bench, signer),
                        Signed(bench, signer, CoseEnvelope.MediaType),
                        Signed(bench, Authority.Issue(signer.Key)),
                        Signed(bench, signer, format: SignatureFormat.Both | SignatureFormat.Notation),
                    ]
            ).Select(UpToDate.RequestFingerprint.Compute),
        ];

        Assert.Distinct(fingerprints);
        Assert.Equal(fingerprints[0], UpToDate.RequestFingerprint.Compute(Signed(bench, signer)));
    }

    private static string Pem(string what)
    {
        var good = Authority.Issue().Chain;
        IReadOnlyList<X509Certificate2> chain = what switch
        {
            "none" or "damaged" => [],
            "out of order" => [good[2], good[1], good[0]],
            "middle first" => [good[1], good[0], good[2]],
            "no root" => [good[0], good[1]],
            "leaf alone" => [good[0]],
            "unrelated" => [.. good, new TestAuthority("Mallory").Root],
            "another of that name" => [good[0], .. new TestAuthority(isNamesake: true).Issue().Chain.Skip(1)],
            "expired" => Authority.Issue(options: new LeafOptions { To = DateTimeOffset.UtcNow.AddDays(-1) }).Chain,
            "not yet" => Authority.Issue(options: new LeafOptions { From = DateTimeOffset.UtcNow.AddDays(1) }).Chain,
            "server" => Authority.Issue(options: new LeafOptions { Purpose = "1.3.6.1.5.5.7.3.1" }).Chain,
            "time-stamps" => Authority.Issue(options: new LeafOptions { Purpose = TestAuthority.TimeStamping }).Chain,
            "no usage" => Authority.Issue(options: new LeafOptions { Usage = null }).Chain,
            "also encryption" => Authority
                .Issue(options: new LeafOptions { Usage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment })
                .Chain,
            "authority" => Authority.Issue(options: new LeafOptions { IsAuthority = true }).Chain,
            "sha1" => Authority.Issue(options: new LeafOptions { Hash = HashAlgorithmName.SHA1 }).Chain,
            _ => Authority.Issue(what).Chain,
        };
        return what == "damaged"
            ? "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----"
            : string.Join('\n', chain.Select(one => one.ExportCertificatePem()));
    }

    private static SigningCertificates Parse(string pem) => SigningCertificates.Parse("chain.pem", pem, DateTimeOffset.UtcNow);

    internal static SigningRequest Signing(
        TestSigner signer,
        string envelope = JwsEnvelope.MediaType,
        SignatureFormat format = SignatureFormat.Notation
    )
    {
        var key = SigningKey.Parse("key", signer.Key.ExportPkcs8PrivateKeyPem(), null);
        var certificates = Parse(string.Join('\n', signer.Chain.Select(one => one.ExportCertificatePem())));
        var notation = new NotationRequest { Key = new CertifiedKey(key, certificates), Envelope = envelope };
        return new SigningRequest(key, format) { Notation = notation };
    }

    private static PublishRequest Signed(
        PublishingBench bench,
        TestSigner signer,
        string envelope = JwsEnvelope.MediaType,
        SignatureFormat format = SignatureFormat.Notation
    ) => bench.Request("1.0") with { Signing = Signing(signer, envelope, format) };

    private static Task<IReadOnlyList<SignatureResult>> VerifyAsync(
        PublishingBench bench,
        TestAuthority authority,
        Digest image,
        TimeProvider? time = null
    ) => bench.VerifyAsync(new CertificateRule("root.crt", new TrustAnchors([authority.Root])), image, time);

    private static async Task<ImageManifest> SignatureAsync(PublishingBench bench, Digest image)
    {
        await using var reader = RegistryBench.For(bench.Server);
        var listed = Assert.Single((await reader.Client.ListReferrersAsync(bench.Named(Shop), image, Cancel))!);
        return OciJson.ReadManifest(bench.Server.Content.Manifest(Shop, listed.Digest.Value)!.Bytes.Span);
    }
}
