using System.Security.Cryptography.X509Certificates;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Signatures, certificates and time-stamps that OpenSSL makes.</summary>
public sealed class ForeignSignatureTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-openssl-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-sha256")]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "-sha384")]
    [InlineData("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072", "-sha256")]
    public async Task ASignatureOfOpenSslIsAcceptedAndAnAlteredOneRefused(string generate, string hash)
    {
        await RunAsync($"{generate} -out k.pem");
        await RunAsync("pkey -in k.pem -pubout -out k.pub");
        var rule = TrustFile.Read(Path.Combine(folder, "k.pub"));
        await using var bench = await SignedBench.StartAsync();
        var payload = CosignTests.Payload(bench.Image.Value);
        var statement = CosignTests.Statement(bench.Image.Value);

        bench.PutCosignTag(payload, await SignAsync(hash, payload));
        Assert.Equal($"The base image {bench.Subject.Name} is signed by the key of k.pub (cosign tag).", await bench.RequireAsync(rule));

        await using var other = await SignedBench.StartAsync();
        other.PutCosignTag([.. payload, (byte)' '], await SignAsync(hash, payload));
        await other.RefusesAsync(DiagnosticCodes.SignatureInvalid, rule);
        CosignTests.Attach(other, statement, await SignAsync(hash, CosignTests.Framed(statement)));
        Assert.Contains("(cosign bundle)", await other.RequireAsync(rule), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEd25519SignatureOfOpenSslIsVerified()
    {
        await RunAsync("genpkey -algorithm ed25519 -out k.pem");
        await RunAsync("pkey -in k.pem -pubout -out k.pub");
        var rule = TrustFile.Read(Path.Combine(folder, "k.pub"));
        await using var bench = await SignedBench.StartAsync();
        var payload = CosignTests.Payload(bench.Image.Value);
        await File.WriteAllBytesAsync(Path.Combine(folder, "payload"), payload, Cancel);
        await RunAsync("pkeyutl -sign -inkey k.pem -rawin -in payload -out sig");
        var signature = await File.ReadAllBytesAsync(Path.Combine(folder, "sig"), Cancel);

        bench.PutCosignTag(payload, signature);
        Assert.Equal($"The base image {bench.Subject.Name} is signed by the key of k.pub (cosign tag).", await bench.RequireAsync(rule));

        await using var other = await SignedBench.StartAsync();
        other.PutCosignTag([.. payload, (byte)' '], signature);
        await other.RefusesAsync(DiagnosticCodes.SignatureInvalid, rule);
    }

    // The time-stamp is OpenSSL's, with an authority that OpenSSL made; the signature's certificate ended long ago.
    [Theory]
    [InlineData(NotationWriter.JwsType)]
    [InlineData(NotationWriter.CoseType)]
    public async Task ATimeStampOfOpenSslProvesTheTime(string type)
    {
        await MakeTimeStampAuthorityAsync();
        var authorities = new TrustAnchors([X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "tsa-root.pem"))]);
        var authority = new TestAuthority();
        // OpenSSL stamps with its clock, so the certificate ends shortly after.
        var signer = authority.Issue(options: new LeafOptions { To = DateTimeOffset.UtcNow.AddHours(1) });
        var rule = MicrosoftTrust.Create(new TrustAnchors([authority.Root]), authorities);
        await using var bench = await SignedBench.StartAsync();
        bench.Time = new FixedTime(DateTimeOffset.UtcNow.AddDays(100));
        bench.AttachNotation(type, signer, Stamped(bench, "stamped"));
        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, rule);

        var microsoft = new LeafOptions
        {
            Subject = "C=US, S=Washington, L=Redmond, O=Microsoft Corporation, CN=Microsoft SCD Products RSA Signing",
            To = DateTimeOffset.UtcNow.AddHours(1),
        };
        bench.AttachNotation(type, authority.Issue(options: microsoft), Stamped(bench, "stamped"));
        Assert.Contains(
            "signed by Microsoft SCD Products RSA Signing (Notation)",
            await bench.RequireAsync(rule),
            StringComparison.Ordinal
        );

        await using var altered = await SignedBench.StartAsync();
        altered.Time = bench.Time;
        altered.AttachNotation(type, authority.Issue(options: microsoft), Stamped(altered, "other"));
        await altered.RefusesAsync(DiagnosticCodes.SignatureInvalid, rule);
    }

    private NotationOptions Stamped(SignedBench bench, string what) =>
        new()
        {
            Digest = bench.Image.Value,
            Stamp = signature =>
            {
                File.WriteAllBytes(Path.Combine(folder, "data"), what == "stamped" ? signature : [1]);
                RunAsync("ts -query -data data -sha256 -cert -no_nonce -out q.tsq").GetAwaiter().GetResult();
                RunAsync("ts -reply -config ts.cnf -queryfile q.tsq -token_out -out token.der").GetAwaiter().GetResult();
                return File.ReadAllBytes(Path.Combine(folder, "token.der"));
            },
        };

    private async Task MakeTimeStampAuthorityAsync()
    {
        await File.WriteAllTextAsync(
            Path.Combine(folder, "ts.cnf"),
            """
            [tsa]
            default_tsa = tsa1
            [tsa1]
            serial = serial
            signer_cert = tsa.pem
            certs = tsa-root.pem
            signer_key = tsa.key
            signer_digest = sha256
            default_policy = 1.2.3.4
            digests = sha256, sha384, sha512
            ess_cert_id_alg = sha256
            [ext]
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = critical, timeStamping
            """,
            Cancel
        );
        await File.WriteAllTextAsync(Path.Combine(folder, "serial"), "01", Cancel);
        await RunAsync("req -x509 -newkey rsa:2048 -nodes -keyout root.key -out tsa-root.pem -subj /CN=TSA-root -days 3650");
        await RunAsync("req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=TSA");
        await RunAsync(
            "x509 -req -in tsa.csr -CA tsa-root.pem -CAkey root.key -CAcreateserial -out tsa.pem -days 3650 -extfile ts.cnf -extensions ext"
        );
    }

    private async Task<byte[]> SignAsync(string hash, byte[] data)
    {
        await File.WriteAllBytesAsync(Path.Combine(folder, "data"), data, Cancel);
        await RunAsync($"dgst {hash} -sign k.pem -out sig data");
        return await File.ReadAllBytesAsync(Path.Combine(folder, "sig"), Cancel);
    }

    private Task RunAsync(string arguments) => OpenSsl.RunAsync(folder, arguments, Cancel);
}
