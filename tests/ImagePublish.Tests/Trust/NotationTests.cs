using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Testing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Notation signatures that the framework writes, and each with something wrong about it.</summary>
public sealed class NotationTests
{
    private static readonly TestAuthority Authority = new();

    private static CertificateRule Trusted => new("acme.crt", new TrustAnchors([Authority.Root]));

    private static string[] Types => [NotationWriter.JwsType, NotationWriter.CoseType];

    public static TheoryData<string, string> Keys =>
        [
            .. Types.SelectMany(type =>
                ((string[])["P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"]).Select(key => (type, key))
            ),
        ];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task ASignatureOfEachKeyIsAccepted(string type, string key)
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(type, Authority.Issue(key));

        Assert.Equal($"The base image {bench.Subject.Name} is signed by Acme signing (Notation).", await bench.RequireAsync(Trusted));
    }

    [Theory]
    [InlineData(NotationWriter.JwsType)]
    [InlineData(NotationWriter.CoseType)]
    public async Task ASignatureAtTheFallbackTagIsFound(string type)
    {
        await using var bench = await SignedBench.StartAsync(hasReferrers: false);
        bench.AttachNotation(type, Authority.Issue());

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(Trusted), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageWithoutSignatureIsRefused()
    {
        await using var bench = await SignedBench.StartAsync();

        var error = await bench.RefusesAsync(DiagnosticCodes.Unsigned, Trusted);

        Assert.Equal(
            $"The base image '{bench.Subject.Name}' ({bench.Image}) has no signature that ImageBaseTrust could accept in "
                + $"{bench.Subject.Location}. Choose a signed image, or have it signed.",
            error.Message
        );
    }

    /// <summary>What can be wrong about an envelope, with the code and a part of the reason.</summary>
    public static TheoryData<string, string, string, string> Falsified
    {
        get
        {
            (string What, string Code, string Reason)[] cases =
            [
                ("signature", "IMG6018", "does not fit its content"),
                ("digest", "IMG6018", "it is the signature of another image, sha256:" + new string('0', 64)),
                ("algorithm", "IMG6018", "signs with ES256 only"),
                ("critical", "IMG6021", "its header 'com.example.unknown'"),
                ("plugin", "IMG6021", "its header 'io.cncf.notary.verificationPlugin'"),
                ("plugin version", "IMG6021", "its header 'io.cncf.notary.verificationPluginMinVersion'"),
                ("no critical", "IMG6018", "its header 'io.cncf.notary.signingScheme' is not marked as critical"),
                ("content type", "IMG6018", "its payload is 'text/plain'"),
                ("scheme", "IMG6018", "its signing scheme is 'notary.none'"),
                ("expiry", "IMG6020", "its signer set it to end at"),
                ("authority scheme", "IMG6019", "leads to 'Acme root', which is not trusted"),
            ];
            var data = new TheoryData<string, string, string, string>();
            foreach (var type in Types)
            foreach (var (what, code, reason) in cases)
                data.Add(type, what, code, reason);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Falsified))]
    public async Task AnEnvelopeThatIsFalsifiedIsRefused(string type, string what, string code, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        var honest = new NotationOptions { Digest = bench.Image.Value };
        var options = what switch
        {
            "signature" => honest with { Signature = Flip },
            "digest" => honest with { Digest = "sha256:" + new string('0', 64) },
            "algorithm" => honest with { Algorithm = "PS256", CoseAlgorithm = -37 },
            "critical" => honest with { Critical = ["io.cncf.notary.signingScheme", "com.example.unknown"] },
            "plugin" => honest with { Critical = ["io.cncf.notary.signingScheme", "io.cncf.notary.verificationPlugin"] },
            "plugin version" => honest with { Critical = ["io.cncf.notary.signingScheme", "io.cncf.notary.verificationPluginMinVersion"] },
            "no critical" => honest with { Critical = ["io.cncf.notary.expiry"], Expiry = DateTimeOffset.UtcNow.AddDays(1) },
            "content type" => honest with { ContentType = "text/plain" },
            "scheme" => honest with { Scheme = "notary.none" },
            "expiry" => honest with { Expiry = DateTimeOffset.UtcNow.AddHours(-1) },
            _ => honest with { Scheme = "notary.x509.signingAuthority", AuthenticTime = DateTimeOffset.UtcNow },
        };
        bench.AttachNotation(type, Authority.Issue(), options);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RequireAsync(Trusted));

        Assert.Equal(code, error.Code.Id);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("ES384")]
    [InlineData("RS256")]
    [InlineData("es256")]
    public async Task AnotherAlgorithmThanTheKeysIsRefused(string algorithm)
    {
        await using var bench = await SignedBench.StartAsync();
        var options = new NotationOptions { Digest = bench.Image.Value, Algorithm = algorithm };
        bench.AttachNotation(NotationWriter.JwsType, Authority.Issue(), options);

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains($"its algorithm is '{algorithm}'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What can be wrong about a certificate.</summary>
    public static TheoryData<string, string, string> WrongCertificates =>
        [
            ("authority", "IMG6018", "is an authority's, which must not sign images itself"),
            ("usage", "IMG6018", "is not marked as one for digital signatures"),
            ("no usage", "IMG6018", "is not marked as one for digital signatures"),
            ("server", "IMG6018", "is for another purpose than signing code"),
            ("time-stamps", "IMG6018", "is for another purpose than signing code"),
            ("any purpose", "IMG6018", "is for another purpose than signing code"),
            ("expired", "IMG6020", "and no time-stamp proves when"),
            ("not yet", "IMG6020", "and no time-stamp proves when"),
            ("sha1", "IMG6018", "which can be forged"),
            ("rsa 1024", "IMG6018", "the RSA key has 1024 bits; 2048 to 8192 are accepted"),
            ("other curve", "IMG6018", "on a curve other than P-256, P-384 and P-521"),
            ("other root", "IMG6019", "leads to 'Mallory root', which is not trusted"),
        ];

    [Theory]
    [MemberData(nameof(WrongCertificates))]
    public async Task ACertificateThatDoesNotSufficeIsRefused(string what, string code, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        var options = new LeafOptions();
        var signer = what switch
        {
            "authority" => Authority.Issue(options: options with { IsAuthority = true }),
            "usage" => Authority.Issue(options: options with { Usage = X509KeyUsageFlags.KeyEncipherment }),
            "no usage" => Authority.Issue(options: options with { Usage = null }),
            "server" => Authority.Issue(options: options with { Purpose = "1.3.6.1.5.5.7.3.1" }),
            "time-stamps" => Authority.Issue(options: options with { Purpose = TestAuthority.TimeStamping }),
            "any purpose" => Authority.Issue(options: options with { Purpose = "2.5.29.37.0" }),
            "expired" => Authority.Issue(options: options with { To = DateTimeOffset.UtcNow.AddDays(-1) }),
            "not yet" => Authority.Issue(options: options with { From = DateTimeOffset.UtcNow.AddDays(1) }),
            "sha1" => Authority.Issue(options: options with { Hash = HashAlgorithmName.SHA1 }),
            "rsa 1024" => Authority.Issue("RSA-1024"),
            "other curve" => Authority.Issue("secp256k1"),
            _ => new TestAuthority("Mallory").Issue(),
        };
        bench.AttachNotation(NotationWriter.JwsType, signer);

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RequireAsync(Trusted));

        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
    }

    [Fact]
    public async Task AChainWhoseCertificatesDoNotBelongTogetherIsRefused()
    {
        await using var bench = await SignedBench.StartAsync();
        var mallory = new TestAuthority("Mallory").Issue();
        // Mallory's certificate, with the chain of somebody who is trusted.
        bench.AttachNotation(NotationWriter.CoseType, mallory with { Chain = [mallory.Leaf, .. Authority.Issue().Chain.Skip(1)] });

        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Trusted);
    }

    [Fact]
    public async Task AnAuthorityOfTheSameNameIsNotTrusted()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(NotationWriter.JwsType, new TestAuthority(isNamesake: true).Issue());

        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Trusted);
    }

    [Fact]
    public async Task ASignersOwnCertificateCanBeTrusted()
    {
        await using var bench = await SignedBench.StartAsync();
        var signer = Authority.Issue();
        bench.AttachNotation(NotationWriter.JwsType, signer);

        Assert.Contains(
            "Acme signing",
            await bench.RequireAsync(new CertificateRule("me.crt", new TrustAnchors([signer.Leaf]))),
            StringComparison.Ordinal
        );
        await bench.RefusesAsync(
            DiagnosticCodes.SignerUntrusted,
            new CertificateRule("other.crt", new TrustAnchors([Authority.Issue().Leaf]))
        );
    }

    [Fact]
    public async Task APartThatTheEnvelopeDoesNotHaveIsRefused()
    {
        await using var bench = await SignedBench.StartAsync();
        var envelope = NotationWriter.Jws(Authority.Issue(), new NotationOptions { Digest = bench.Image.Value });
        envelope["signatures"] = new JsonArray();
        bench.Attach("application/vnd.cncf.notary.signature", NotationWriter.JwsType, Encoding.UTF8.GetBytes(envelope.ToJsonString()));

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains("has other parts than payload, protected, header, signature", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Bytes that are no envelope.</summary>
    public static TheoryData<string, string, string> Garbage =>
        [
            (NotationWriter.JwsType, "", "is not JSON"),
            (NotationWriter.JwsType, "[]", "is not a JSON object"),
            (NotationWriter.JwsType, "{}", "has no 'protected'"),
            (NotationWriter.JwsType, """{"payload":"","payload":""}""", "is not JSON"),
            (NotationWriter.CoseType, "", "is not a COSE_Sign1"),
            (NotationWriter.CoseType, "{}", "is not a COSE_Sign1"),
            (NotationWriter.CoseType, "\u00D2\u0084", "is malformed"),
            ("text/plain", "{}", "its envelope is 'text/plain', which is neither JWS nor COSE"),
        ];

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task WhatIsNoEnvelopeIsRefused(string type, string content, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        bench.Attach("application/vnd.cncf.notary.signature", type, Encoding.Latin1.GetBytes(content));

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEnvelopeThatIsTooLargeIsNotRead()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.Attach("application/vnd.cncf.notary.signature", NotationWriter.JwsType, new byte[NotationEnvelope.MaxSize + 1]);

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains("at most 1048576 are read", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, bench.Registry.CountOf(RegistryStep.BlobGet));
    }

    [Fact]
    public async Task AManifestWithSeveralLayersIsRefused()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.Attach("application/vnd.cncf.notary.signature", NotationWriter.JwsType, "{}"u8.ToArray(), manifest =>
            manifest["layers"]!.AsArray().Add(bench.Descriptor(NotationWriter.JwsType, "{}"u8.ToArray()))
        );

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains("its manifest has 2 layers, and must have one", error.Message, StringComparison.Ordinal);
    }

    // A list may name what is attached to another image.
    [Fact]
    public async Task AManifestOfAnotherSubjectCountsForNothing()
    {
        await using var bench = await SignedBench.StartAsync(hasReferrers: false);
        bench.Attach(
            "application/vnd.cncf.notary.signature",
            NotationWriter.JwsType,
            NotationWriter.Write(NotationWriter.JwsType, Authority.Issue(), new NotationOptions { Digest = bench.Image.Value }),
            manifest => manifest["subject"]!["digest"] = "sha256:" + new string('1', 64)
        );

        await bench.RefusesAsync(DiagnosticCodes.Unsigned, Trusted);
    }

    [Fact]
    public async Task AGoodSignatureIsFoundAmongBadOnes()
    {
        await using var bench = await SignedBench.StartAsync();
        for (var count = 0; count < 5; count++)
            bench.Attach("application/vnd.cncf.notary.signature", NotationWriter.JwsType, Encoding.UTF8.GetBytes($"bad {count}"));
        bench.AttachNotation(NotationWriter.CoseType, Authority.Issue());

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(Trusted), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OnlySoManySignaturesAreLookedAt()
    {
        await using var bench = await SignedBench.StartAsync();
        for (var count = 0; count < SignatureFinder.MaxSignatures + 10; count++)
            bench.Attach("application/vnd.cncf.notary.signature", NotationWriter.JwsType, Encoding.UTF8.GetBytes($"bad {count}"));

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Trusted);

        Assert.Contains($"none of its {SignatureFinder.MaxSignatures} signatures is accepted", error.Message, StringComparison.Ordinal);
        Assert.Equal(SignatureFinder.MaxSignatures, bench.Registry.CountOf(RegistryStep.BlobGet));
    }

    [Theory]
    [InlineData(NotationWriter.JwsType)]
    [InlineData(NotationWriter.CoseType)]
    public async Task ATimeStampOutlivesTheCertificate(string type)
    {
        await using var bench = await SignedBench.StartAsync();
        var signed = DateTimeOffset.UtcNow.AddDays(-100);
        AttachExpired(bench, type, signed, signature => Authority.Stamp(signature, signed));

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(Trusted), StringComparison.Ordinal);
    }

    /// <summary>What can be wrong about a time-stamp.</summary>
    public static TheoryData<string, string, string> WrongStamps =>
        [
            ("other bytes", "IMG6018", "its time-stamp is for another signature, or was altered"),
            ("after the end", "IMG6020", "with a certificate that is valid from"),
            ("other authority", "IMG6019", "its time-stamp can't be believed"),
            ("no purpose", "IMG6018", "its time-stamp"),
            ("garbage", "IMG6018", "its time-stamp is malformed"),
            ("too large", "IMG6018", "at most 65536 are read"),
        ];

    [Theory]
    [MemberData(nameof(WrongStamps))]
    public async Task ATimeStampThatIsWrongProvesNothing(string what, string code, string reason)
    {
        await using var bench = await SignedBench.StartAsync();
        var signed = DateTimeOffset.UtcNow.AddDays(-100);
        AttachExpired(bench, NotationWriter.JwsType, signed, signature => what switch
            {
                "other bytes" => Authority.Stamp("other"u8, signed),
                "after the end" => Authority.Stamp(signature, DateTimeOffset.UtcNow.AddDays(-1)),
                "other authority" => new TestAuthority("Mallory").Stamp(signature, signed),
                "no purpose" => Authority.Stamp(signature, signed, new LeafOptions { Subject = "CN=x" }),
                "garbage" => "garbage"u8.ToArray(),
                _ => new byte[70_000],
            });

        var error = await Assert.ThrowsAsync<ImagePublishException>(() => bench.RequireAsync(Trusted));

        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
    }

    [Fact]
    public async Task WhatWasAcceptedIsKeptUntilTheCertificateEnds()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(NotationWriter.JwsType, Authority.Issue());
        var first = await bench.RequireAsync(Trusted);
        bench.Server.Requests.Clear();

        Assert.Equal(first, await bench.RequireAsync(Trusted));
        Assert.Empty(bench.Server.Requests);

        // Another policy asks again, and so does the same one when the certificate has expired.
        await bench.RefusesAsync(
            DiagnosticCodes.SignerUntrusted,
            new CertificateRule("b", new TrustAnchors([new TestAuthority("B").Root]))
        );
        bench.Time = new FixedTime(DateTimeOffset.UtcNow.AddDays(11));
        await bench.RefusesAsync(DiagnosticCodes.SignatureExpired, Trusted);
    }

    [Fact]
    public async Task AnyOfSeveralRulesIsEnough()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(NotationWriter.JwsType, Authority.Issue());
        var other = new CertificateRule("b", new TrustAnchors([new TestAuthority("B").Root]));

        Assert.Contains("signed by Acme signing", await bench.RequireAsync(other, Trusted), StringComparison.Ordinal);
    }

    private static void AttachExpired(SignedBench bench, string type, DateTimeOffset signed, Func<byte[], byte[]> stamp) =>
        bench.AttachNotation(
            type,
            Authority.Issue(options: new LeafOptions { From = signed.AddDays(-10), To = signed.AddDays(10) }),
            new NotationOptions { Digest = bench.Image.Value, Stamp = stamp }
        );

    private static byte[] Flip(byte[] signature)
    {
        signature[^1] ^= 1;
        return signature;
    }
}

/// <summary>A clock that stands still.</summary>
internal sealed class FixedTime(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
