using System.Diagnostics;
using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Signing;
using ImagePublish.Testing;
using ImagePublish.Tests.Trust;

namespace ImagePublish.Tests.Signing;

/// <summary>Key files that OpenSSL writes, and what can't be signed with.</summary>
public sealed class SigningKeyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-keys-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem", "ECDSA P-256")]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out k.pem", "ECDSA P-384")]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out k.pem", "ECDSA P-521")]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:s3cret -out k.pem", "ECDSA P-256")]
    [InlineData("ecparam -name prime256v1 -genkey -out k.pem", "ECDSA P-256")]
    [InlineData("genrsa -out k.pem 2048", "RSA 2048")]
    [InlineData("genrsa -traditional -out k.pem 3072", "RSA 3072")]
    public async Task EachFormIsReadAndOpenSslVerifiesItsSignatures(string generate, string description)
    {
        await RunAsync(generate);
        await RunAsync("pkey -in k.pem -passin pass:s3cret -pubout -out k.pub");

        var key = SigningKey.Parse("k.pem", SigningKey.ReadFile(Path.Combine(folder, "k.pem")), "s3cret");

        Assert.Equal(description, key.Public.Description);
        await File.WriteAllTextAsync(Path.Combine(folder, "data"), "signed", Cancel);
        await File.WriteAllBytesAsync(Path.Combine(folder, "sig"), await key.SignTagAsync("signed"u8.ToArray(), Cancel), Cancel);
        await RunAsync("dgst -sha256 -verify k.pub -signature sig data");
        var hash = description switch
        {
            "ECDSA P-384" => "-sha384",
            "ECDSA P-521" => "-sha512",
            _ => "-sha256",
        };
        await File.WriteAllBytesAsync(Path.Combine(folder, "sig"), await key.SignBundleAsync("signed"u8.ToArray(), Cancel), Cancel);
        await RunAsync($"dgst {hash} -verify k.pub -signature sig data");
        await File.WriteAllTextAsync(Path.Combine(folder, "data"), "altered", Cancel);
        await Assert.ThrowsAnyAsync<Exception>(() => RunAsync($"dgst {hash} -verify k.pub -signature sig data"));
    }

    [Theory]
    [InlineData("genrsa -out k.pem 1024", "the RSA key has 1024 bits; 2048 to 8192 are accepted")]
    [InlineData("ecparam -name secp256k1 -genkey -out k.pem", "the key is on a curve other than P-256, P-384 and P-521")]
    [InlineData("genpkey -algorithm ed448 -out k.pem", "it is a key of the kind 1.3.101.113")]
    [InlineData("genpkey -algorithm RSA-PSS -out k.pem", "it is a key of the kind 1.2.840.113549.1.1.10")]
    [InlineData("genrsa -traditional -aes128 -passout pass:s3cret -out k.pem 2048", "it is encrypted in OpenSSL's old form")]
    [ReliabilityCase(
        "Signing",
        "a key that verifiers refuse, or of a kind that .NET does not support",
        "IMG6023 with the reason, before anything is built"
    )]
    public async Task AKeyThatVerifiersRefuseIsNotSignedWith(string generate, string reason)
    {
        await RunAsync(generate);

        var error = Fails(await File.ReadAllTextAsync(Path.Combine(folder, "k.pem"), Cancel), "s3cret");

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wrong", "the password in IMAGE_SIGNING_PASSWORD is wrong, or it is damaged")]
    [InlineData("", "Set the environment variable IMAGE_SIGNING_PASSWORD to its password")]
    [InlineData(null, "Set the environment variable IMAGE_SIGNING_PASSWORD to its password")]
    [ReliabilityCase(
        "Signing",
        "an encrypted key with a wrong password, and without one",
        "IMG6023; the message contains neither password nor key"
    )]
    public void AnEncryptedKeyNeedsItsPassword(string? password, string reason)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = key.ExportEncryptedPkcs8PrivateKeyPem(
            "right-one",
            new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10_000)
        );

        var error = Fails(pem, password);

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), SigningKey.Parse("key", pem, "right-one").Public.Info.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("no key at all")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    [InlineData("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----")]
    [InlineData("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----")]
    public void WhatIsNoKeyIsRefused(string pem) => Fails(pem, "password");

    [Theory]
    [InlineData("")]
    [InlineData("-aes256 -pass pass:s3cret")]
    public async Task AnEd25519KeySignsAndOpenSslVerifies(string encryption)
    {
        await RunAsync($"genpkey -algorithm ed25519 {encryption} -out k.pem");
        await RunAsync("pkey -in k.pem -passin pass:s3cret -pubout -out k.pub");
        var key = SigningKey.Parse("k.pem", SigningKey.ReadFile(Path.Combine(folder, "k.pem")), "s3cret");

        Assert.Equal("Ed25519", key.Public.Description);
        await File.WriteAllTextAsync(Path.Combine(folder, "data"), "signed", Cancel);
        foreach (
            var signature in (byte[][])
                [await key.SignTagAsync("signed"u8.ToArray(), Cancel), await key.SignBundleAsync("signed"u8.ToArray(), Cancel)]
        )
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "sig"), signature, Cancel);
            await RunAsync("pkeyutl -verify -pubin -inkey k.pub -rawin -in data -sigfile sig");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "data"), "altered", Cancel);
        await Assert.ThrowsAnyAsync<Exception>(() => RunAsync("pkeyutl -verify -pubin -inkey k.pub -rawin -in data -sigfile sig"));
    }

    [Theory]
    [InlineData("SIGSTORE", 32768, "EC -pkeyopt ec_paramgen_curve:P-256", "ECDSA P-256")]
    [InlineData("SIGSTORE", 65536, "EC -pkeyopt ec_paramgen_curve:P-256", "ECDSA P-256")]
    [InlineData("COSIGN", 32768, "RSA -pkeyopt rsa_keygen_bits:2048", "RSA 2048")]
    [InlineData("SIGSTORE", 32768, "ed25519", "Ed25519")]
    [ReliabilityCase(
        "Signing",
        "a cosign key file, made with NaCl, and the same with a wrong password",
        "the first is read; the second is IMG6023"
    )]
    public async Task AKeyFileOfCosignIsRead(string label, int cost, string kind, string description)
    {
        await RunAsync($"genpkey -algorithm {kind} -out k.pem");
        await RunAsync("pkey -in k.pem -pubout -outform DER -out k.pub");
        var file = await MakeCosignKeyAsync(label, cost);

        var key = SigningKey.Parse("k.key", file, "s3cret");

        Assert.Equal(description, key.Public.Description);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, "k.pub"), Cancel), key.Public.Info.ToArray());
        Assert.Contains("is wrong, or it is damaged", Fails(file, "wrong").Message, StringComparison.Ordinal);
        Assert.Contains("Set the environment variable IMAGE_SIGNING_PASSWORD", Fails(file, null).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("N", 1 << 30)]
    [InlineData("N", 1 << 20)]
    [InlineData("N", 30000)]
    [InlineData("N", -1)]
    [InlineData("r", 1 << 20)]
    [InlineData("r", 0)]
    [InlineData("p", 1 << 20)]
    [ReliabilityCase("Signing", "a cosign key file that would need gigabytes of memory, or hours", "IMG6023 at once")]
    public void AbsurdParametersAreRefused(string name, int value)
    {
        var parameters = new Dictionary<string, int>
        {
            ["N"] = 32768,
            ["r"] = 8,
            ["p"] = 1,
            [name] = value,
        };
        var json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                kdf = new
                {
                    name = "scrypt",
                    @params = parameters,
                    salt = new byte[32],
                },
                cipher = new { name = "nacl/secretbox", nonce = new byte[24] },
                ciphertext = new byte[100],
            }
        );

        var error = Fails(PemEncoding.WriteString("ENCRYPTED SIGSTORE PRIVATE KEY", json), "x");

        Assert.Contains("its scrypt parameters", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("eyJrZGYi")]
    [InlineData("""{"kdf":{"name":"argon2","params":{"N":2,"r":8,"p":1},"salt":""},"cipher":{"name":"x","nonce":""},"ciphertext":""}""")]
    public void ADamagedKeyFileOfCosignIsRefused(string json) =>
        Fails(PemEncoding.WriteString("ENCRYPTED SIGSTORE PRIVATE KEY", System.Text.Encoding.UTF8.GetBytes(json)), "x");

    // With the libraries that cosign's form is named after.
    private async Task<string> MakeCosignKeyAsync(string label, int cost)
    {
        var script = $$"""
            import base64, hashlib, json, os, subprocess, nacl.secret
            der = subprocess.check_output(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "k.pem", "-outform", "DER"])
            salt, nonce = os.urandom(32), os.urandom(24)
            key = hashlib.scrypt(b"s3cret", salt=salt, n={{cost}}, r=8, p=1, dklen=32, maxmem=1 << 28)
            box = nacl.secret.SecretBox(key).encrypt(der, nonce).ciphertext
            text = lambda data: base64.b64encode(data).decode()
            body = json.dumps({"kdf": {"name": "scrypt", "params": {"N": {{cost}}, "r": 8, "p": 1}, "salt": text(salt)},
              "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)}, "ciphertext": text(box)})
            lines = text(body.encode())
            print("-----BEGIN ENCRYPTED {{label}} PRIVATE KEY-----")
            for i in range(0, len(lines), 64): print(lines[i:i + 64])
            print("-----END ENCRYPTED {{label}} PRIVATE KEY-----")
            """;
        await File.WriteAllTextAsync(Path.Combine(folder, "make.py"), script, Cancel);
        var start = new ProcessStartInfo("/usr/bin/python3", "make.py") { WorkingDirectory = folder, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    [Fact]
    public void DamagedKeysAreRefused()
    {
        using var key = TestAuthority.NewKey("P-256");
        var pem = key.ExportPkcs8PrivateKeyPem();
        var random = new Random(1);
        var refused = 0;
        for (var round = 0; round < 500; round++)
        {
            var content = Convert.FromBase64String(string.Concat(pem.Split('\n')[1..^1]));
            content[random.Next(content.Length)] ^= (byte)(1 << random.Next(8));
            var damaged = PemEncoding.WriteString("PRIVATE KEY", content);
            try
            {
                // What happens not to matter, as the version of a part, is another key, or the same one.
                SigningKey.Parse("key", damaged, null);
            }
            catch (ImagePublishException exception)
            {
                refused++;
                Assert.Equal(DiagnosticCodes.SigningKeyUnusable, exception.Code);
                Assert.DoesNotContain("-----", exception.ToString(), StringComparison.Ordinal);
            }
        }

        // Of the key's 138 bytes, 97 are the two numbers that belong together.
        Assert.InRange(refused, 400, 500);
    }

    [Fact]
    [ReliabilityCase("Signing", "a key file that is missing, a folder, or far too large", "IMG6023 with the path")]
    public void AFileThatCantBeReadIsNamed()
    {
        var large = Path.Combine(folder, "large.pem");
        File.WriteAllBytes(large, new byte[100_000]);
        foreach (var path in (string[])[Path.Combine(folder, "none.pem"), folder, large])
        {
            var error = Assert.Throws<ImagePublishException>(() => SigningKey.ReadFile(path));

            Assert.Equal(DiagnosticCodes.SigningKeyUnusable, error.Code);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    private static ImagePublishException Fails(string pem, string? password)
    {
        var error = Assert.Throws<ImagePublishException>(() => SigningKey.Parse("the key", pem, password));
        Assert.Equal(DiagnosticCodes.SigningKeyUnusable, error.Code);
        var body = pem.Split('\n').Where(line => line.Length > 20 && !line.StartsWith("---", StringComparison.Ordinal));
        Assert.All(body, line => Assert.DoesNotContain(line, error.ToString(), StringComparison.Ordinal));
        if (password == "wrong")
            Assert.DoesNotContain("'wrong'", error.ToString(), StringComparison.Ordinal);
        return error;
    }

    private Task RunAsync(string arguments) => OpenSsl.RunAsync(folder, arguments, Cancel);
}
