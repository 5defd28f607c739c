using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Testing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Signatures as cosign makes them, written with nothing but the framework, and each with something wrong about it.</summary>
public sealed class CosignTests
{
    private const string BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    private static readonly TestAuthority Authority = new();

    public static TheoryData<string, bool> Keys =>
        [.. ((string[])["P-256", "P-384", "P-521", "RSA-2048", "RSA-4096"]).SelectMany(key => new[] { (key, true), (key, false) })];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task ASignatureOfEachKeyIsAcceptedAndAnAlteredOneRefused(string kind, bool isBundle)
    {
        await using var bench = await SignedBench.StartAsync();
        using var key = TestAuthority.SharedKey(kind);
        Put(bench, isBundle, key);
        var form = isBundle ? "cosign bundle" : "cosign tag";
        Assert.Equal(
            $"The base image {bench.Subject.Name} is signed by the key of cosign.pub ({form}).",
            await bench.RequireAsync(Rule(key))
        );

        await using var altered = await SignedBench.StartAsync();
        Put(altered, isBundle, key, signature => [.. signature[..^1], (byte)(signature[^1] ^ 1)]);
        await altered.RefusesAsync(DiagnosticCodes.SignatureInvalid, Rule(key));
    }

    // cosign signed with SHA-256 whatever the curve.
    [Fact]
    public async Task ALargeCurveMayBeUsedWithSha256()
    {
        await using var bench = await SignedBench.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var payload = Payload(bench.Image.Value);
        bench.PutCosignTag(payload, key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

        Assert.Contains("cosign tag", await bench.RequireAsync(Rule(key)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABundleIsFoundWithAndWithoutReferrers(bool hasReferrers)
    {
        await using var bench = await SignedBench.StartAsync(hasReferrers);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Put(bench, isBundle: true, key);

        Assert.Contains("cosign bundle", await bench.RequireAsync(Rule(key)), StringComparison.Ordinal);
    }

    /// <summary>What can be wrong about a signature that fits its bytes.</summary>
    public static TheoryData<string, bool, string, string> Falsified =>
        [
            ("other key", true, "IMG6018", "it is another key's, or was altered"),
            ("other key", false, "IMG6018", "it is another key's, or was altered"),
            ("other image", true, "IMG6018", "it is the signature of another image"),
            ("other image", false, "IMG6018", "it is the signature of another image, sha256:" + "1111"),
            ("attestation", true, "IMG6018", "it says something about the image (https://spdx.dev/Document), and does not sign it"),
            ("no type", false, "IMG6018", "is not an image signature but 'x'"),
            ("not der", true, "IMG6018", "it is another key's, or was altered"),
            ("not der", false, "IMG6018", "it is another key's, or was altered"),
            ("raw", true, "IMG6018", "it is another key's, or was altered"),
        ];

    [Theory]
    [MemberData(nameof(Falsified))]
    public async Task ASignatureThatSaysSomethingElseIsRefused(string what, bool isBundle, string code, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var foreign = "sha256:" + new string('1', 64);
        var content = (what, isBundle) switch
        {
            ("other image", true) => Statement(foreign),
            ("other image", false) => Payload(foreign),
            ("attestation", _) => Statement(bench.Image.Value, "https://spdx.dev/Document"),
            ("no type", _) => Payload(bench.Image.Value, "x"),
            (_, true) => Statement(bench.Image.Value),
            _ => Payload(bench.Image.Value),
        };
        var format = what == "not der" ? DSASignatureFormat.IeeeP1363FixedFieldConcatenation : DSASignatureFormat.Rfc3279DerSequence;
        // 'raw': without the frame that binds the statement's type.
        var signed = isBundle && what != "raw" ? Framed(content) : content;
        var signature = (what == "other key" ? other : key).SignData(signed, HashAlgorithmName.SHA256, format);
        if (isBundle)
            Attach(bench, content, signature);
        else
            bench.PutCosignTag(content, signature);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RequireAsync(Rule(key)));

        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
    }

    // As a registry without the API does that denies what it does not know.
    [Fact]
    public async Task ARegistryThatRefusesToListIsAskedForTheTags()
    {
        await using var bench = await SignedBench.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        bench.Registry.Fail(RegistryStep.Referrers, FaultAction.ChangeStatus(403), times: 2);
        await bench.RefusesAsync(DiagnosticCodes.RegistryDenied, Rule(key));

        Put(bench, isBundle: false, key);
        Assert.Contains("cosign tag", await bench.RequireAsync(Rule(key)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAttestationIsNotFetched()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.Attach(BundleType, BundleType, new byte[2 << 20], manifest =>
            manifest["annotations"] = new JsonObject { ["dev.sigstore.bundle.predicateType"] = "https://spdx.dev/Document" }
        );
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        await bench.RefusesAsync(DiagnosticCodes.Unsigned, Rule(key));

        Assert.Equal(0, bench.Registry.CountOf(RegistryStep.BlobGet));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ASignatureWithACertificateIsAcceptedByItsAuthority(bool isBundle)
    {
        await using var bench = await SignedBench.StartAsync();
        PutCertified(bench, isBundle, Authority.Issue());

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(Authorities(Authority)), StringComparison.Ordinal);
        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Authorities(new TestAuthority("Mallory")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnExpiredCertificateIsRefused(bool isBundle)
    {
        await using var bench = await SignedBench.StartAsync();
        PutCertified(bench, isBundle, Authority.Issue(options: new LeafOptions { To = DateTimeOffset.UtcNow.AddDays(-1) }));

        await bench.RefusesAsync(DiagnosticCodes.SignatureExpired, Authorities(Authority));
    }

    [Fact]
    public async Task ABundleOutlivesItsCertificateWithATimeStamp()
    {
        await using var bench = await SignedBench.StartAsync();
        var signed = DateTimeOffset.UtcNow.AddDays(-100);
        var signer = Authority.Issue(options: new LeafOptions { From = signed.AddDays(-1), To = signed.AddDays(1) });
        var statement = Statement(bench.Image.Value);
        var signature = Sign(signer.Key, Framed(statement));
        Attach(bench, statement, signature, bundle => AddCertificates(bundle, signer, Authority.Stamp(signature, signed)));

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(Authorities(Authority)), StringComparison.Ordinal);
    }

    // Whoever has an account gets such a certificate: without the name in it, it says nothing.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AKeylessSignatureIsNotBelievedForItsAuthority(bool isBundle)
    {
        await using var bench = await SignedBench.StartAsync();
        PutCertified(bench, isBundle, Authority.Issue(options: new LeafOptions { Extension = "1.3.6.1.4.1.57264.1.8" }));

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureUnsupported, Authorities(Authority));

        Assert.Contains("it is keyless", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACertificateCanBeTrustedForSignaturesWithoutOne()
    {
        await using var bench = await SignedBench.StartAsync();
        var signer = Authority.Issue();
        Put(bench, isBundle: false, signer.Key);

        var rule = new CertificateRule("me.crt", new TrustAnchors([Authority.Issue().Leaf, signer.Leaf]));
        Assert.Contains("signed by Acme signing", await bench.RequireAsync(rule), StringComparison.Ordinal);
        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Authorities(Authority));
    }

    /// <summary>Bytes that are no bundle.</summary>
    public static TheoryData<string, string, string> Garbage =>
        [
            ("", "IMG6018", "its bundle is not JSON"),
            ("{}", "IMG6018", "its bundle has no 'mediaType'"),
            ("""{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json"}""", "IMG6021", "which is not supported"),
            ($$$"""{"mediaType":"{{{BundleType}}}","messageSignature":{}}""", "IMG6021", "has no DSSE envelope"),
            ($$$"""{"mediaType":"{{{BundleType}}}","dsseEnvelope":{"payloadType":"x"}}""", "IMG6018", "its payload is 'x'"),
            (
                $$$"""{"mediaType":"{{{BundleType}}}","dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","signatures":[]}}""",
                "IMG6018",
                "has 0 signatures"
            ),
        ];

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task WhatIsNoBundleIsRefused(string content, string code, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        bench.Attach(BundleType, BundleType, Encoding.UTF8.GetBytes(content));

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RequireAsync(Rule(key)));

        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
    }

    internal static byte[] Payload(string digest, string type = "cosign container image signature") =>
        Encoding.UTF8.GetBytes(
            $$$"""{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":"{{{digest}}}"},"type":"{{{type}}}"},"optional":null}"""
        );

    internal static byte[] Statement(string digest, string predicate = "https://sigstore.dev/cosign/sign/v1") =>
        Encoding.UTF8.GetBytes(
            $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{digest["sha256:".Length..]}}}"}}],"predicateType":"{{{predicate}}}","predicate":{}}"""
        );

    // DSSE's frame, by its specification.
    internal static byte[] Framed(byte[] statement) =>
        [.. Encoding.UTF8.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {statement.Length} "), .. statement];

    internal static KeyRule Rule(AsymmetricAlgorithm key) => new("cosign.pub", VerificationKey.Read(key.ExportSubjectPublicKeyInfo()));

    internal static void Attach(SignedBench bench, byte[] statement, byte[] signature, Action<JsonObject>? change = null)
    {
        var bundle = Bundle(statement, signature);
        change?.Invoke(bundle);
        bench.Attach(BundleType, BundleType, Encoding.UTF8.GetBytes(bundle.ToJsonString()));
    }

    internal static JsonObject Bundle(byte[] statement, AsymmetricAlgorithm key) => Bundle(statement, Sign(key, Framed(statement)));

    internal static byte[] Sign(AsymmetricAlgorithm key, byte[] data) =>
        key switch
        {
            ECDsa { KeySize: 384 } ecdsa => ecdsa.SignData(data, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence),
            ECDsa { KeySize: 521 } ecdsa => ecdsa.SignData(data, HashAlgorithmName.SHA512, DSASignatureFormat.Rfc3279DerSequence),
            ECDsa ecdsa => ecdsa.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            _ => ((RSA)key).SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        };

    private static JsonObject Bundle(byte[] statement, byte[] signature) =>
        new()
        {
            ["mediaType"] = BundleType,
            ["verificationMaterial"] = new JsonObject { ["publicKey"] = new JsonObject { ["hint"] = "any" } },
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Convert.ToBase64String(statement),
                ["payloadType"] = "application/vnd.in-toto+json",
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = Convert.ToBase64String(signature) }),
            },
        };

    private static CertificateRule Authorities(TestAuthority authority) => new("ca.crt", new TrustAnchors([authority.Root]));

    private static void Put(SignedBench bench, bool isBundle, AsymmetricAlgorithm key, Func<byte[], byte[]>? alter = null)
    {
        var content = isBundle ? Statement(bench.Image.Value) : Payload(bench.Image.Value);
        var signature = Sign(key, isBundle ? Framed(content) : content);
        signature = alter?.Invoke(signature) ?? signature;
        if (isBundle)
            Attach(bench, content, signature);
        else
            bench.PutCosignTag(content, signature);
    }

    private static void PutCertified(SignedBench bench, bool isBundle, TestSigner signer)
    {
        if (isBundle)
        {
            var statement = Statement(bench.Image.Value);
            Attach(bench, statement, Sign(signer.Key, Framed(statement)), bundle => AddCertificates(bundle, signer, stamp: null));
            return;
        }

        var payload = Payload(bench.Image.Value);
        bench.PutCosignTag(
            payload,
            Sign(signer.Key, payload),
            ("dev.sigstore.cosign/certificate", signer.Leaf.ExportCertificatePem()),
            ("dev.sigstore.cosign/chain", string.Join('\n', signer.Chain.Skip(1).Select(one => one.ExportCertificatePem())))
        );
    }

    private static void AddCertificates(JsonObject bundle, TestSigner signer, byte[]? stamp)
    {
        var certificates = signer.Chain.Select(one => (JsonNode)new JsonObject { ["rawBytes"] = Convert.ToBase64String(one.RawData) });
        var material = new JsonObject { ["x509CertificateChain"] = new JsonObject { ["certificates"] = new JsonArray([.. certificates]) } };
        if (stamp is not null)
            material["timestampVerificationData"] = new JsonObject
            {
                ["rfc3161Timestamps"] = new JsonArray(new JsonObject { ["signedTimestamp"] = Convert.ToBase64String(stamp) }),
            };
        bundle["verificationMaterial"] = material;
    }
}
