using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Signing;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Signing;

/// <summary>Programs that sign: a script with OpenSSL, and what such programs do wrong.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class SignerProgramTests : IDisposable
{
    private const string Script = """
        #!/bin/sh
        # Signs with OpenSSL what is asked for; the key's name is its file.
        cd "$(dirname "$0")"
        request=$(cat)
        value() { printf '%s' "$request" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
        case $(value method) in
        publicKey) printf '{"publicKey":"%s"}' "$(openssl pkey -in "$(value key)" -pubout | awk '{printf "%s\\n", $0}')" ;;
        sign)
          value message | openssl base64 -d -A > message
          case $(value algorithm) in
          Ed25519) openssl pkeyutl -sign -inkey "$(value key)" -rawin -in message -out signature ;;
          *) openssl dgst -"$(value algorithm | sed 's/.*-SHA/sha/')" -sign "$(value key)" -out signature message ;;
          esac
          printf '{"signature":"%s"}' "$(openssl base64 -A -in signature)" ;;
        esac
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-signer-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("EC -pkeyopt ec_paramgen_curve:P-256", "ECDSA P-256")]
    [InlineData("EC -pkeyopt ec_paramgen_curve:P-384", "ECDSA P-384")]
    [InlineData("RSA -pkeyopt rsa_keygen_bits:2048", "RSA 2048")]
    [InlineData("ed25519", "Ed25519")]
    public async Task AScriptWithOpenSslSigns(string kind, string description)
    {
        await OpenSsl.RunAsync(folder, $"genpkey -algorithm {kind} -out k.pem", Cancel);
        var signer = Create(Script);

        var key = await signer.GetPublicKeyAsync(Cancel);

        Assert.Equal(description, key.Description);
        var bundle = await signer.SignBundleAsync("signed"u8.ToArray(), Cancel);
        var simple = await signer.SignTagAsync("signed"u8.ToArray(), Cancel);
        foreach (var signature in (byte[][])[bundle, simple])
        {
            Assert.Contains(key.CosignAlgorithms, one => key.Verify(one, "signed"u8, signature, Der));
            Assert.DoesNotContain(key.CosignAlgorithms, one => key.Verify(one, "altered"u8, signature, Der));
        }
    }

    [Fact]
    public async Task AnEcdsaSignatureMayBeTwoNumbers()
    {
        using var ecdsa = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        for (var round = 0; round < 8; round++)
        {
            var numbers = ecdsa.SignData("signed"u8, System.Security.Cryptography.HashAlgorithmName.SHA256);
            var signer = Create(Answering(ecdsa.ExportSubjectPublicKeyInfoPem(), Convert.ToBase64String(numbers)));

            var signature = await signer.SignTagAsync("signed"u8.ToArray(), Cancel);

            Assert.True(ecdsa.VerifyData("signed"u8, signature, System.Security.Cryptography.HashAlgorithmName.SHA256, Der));
        }
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a signer program that returns the signature of another key or of other content",
        "IMG6030; nothing is pushed"
    )]
    public async Task AWrongSignatureIsNotUsed()
    {
        using var ecdsa = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var other = Convert.ToBase64String(ecdsa.SignData("other"u8, System.Security.Cryptography.HashAlgorithmName.SHA256, Der));

        var error = await FailsAsync(Answering(ecdsa.ExportSubjectPublicKeyInfoPem(), other));

        Assert.Contains("does not verify with the public key that it names (ECDSA P-256)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo 'no access with s3cret-t0ken' >&2; exit 3", "it ends with 3 when asked for 'publicKey': 'no access with ***")]
    [InlineData("exit 1", "It writes nothing to its error output")]
    [InlineData("echo hello", "is not the JSON that is asked for")]
    [InlineData("echo '{}'", "is not the JSON that is asked for")]
    [InlineData("echo '{\"publicKey\":7}'", "is not the JSON that is asked for")]
    [InlineData("echo '{\"publicKey\":\"AAAA\"}'", "its public key is not in PEM")]
    [InlineData(
        "echo '{\"publicKey\":\"-----BEGIN PUBLIC KEY-----\\\\nMAAA\\\\n-----END PUBLIC KEY-----\"}'",
        "its public key can't be used"
    )]
    [InlineData("head -c 100000 /dev/zero", "it can't be run (it writes more than 64 KiB)")]
    [ReliabilityCase(
        "Signing",
        "a signer program that fails, or answers something else or too much",
        "IMG6030 with its error output, without secrets"
    )]
    public async Task AProgramThatFailsIsExplained(string body, string reason)
    {
        var error = await FailsAsync($"#!/bin/sh\n{body}\n");

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret-t0ken", error.ToString(), StringComparison.Ordinal);
    }

    private const System.Security.Cryptography.DSASignatureFormat Der = System.Security.Cryptography.DSASignatureFormat.Rfc3279DerSequence;

    private static string Answering(string pem, string signature) =>
        $$"""
            #!/bin/sh
            if grep -q publicKey; then printf '%s' '{"publicKey":"{{pem.ReplaceLineEndings("\\n")}}"}'
            else printf '%s' '{"signature":"{{signature}}"}'; fi
            """;

    private async Task<ImagePublishException> FailsAsync(string script)
    {
        var error = await Assert.ThrowsAsync<ImagePublishException>(() => Create(script).SignTagAsync("signed"u8.ToArray(), Cancel));
        Assert.Equal(DiagnosticCodes.SignerFailed, error.Code);
        Assert.Contains("signer.sh", error.Message, StringComparison.Ordinal);
        return error;
    }

    private SignerProgram Create(string script)
    {
        var file = Path.Combine(folder, "signer.sh");
        File.WriteAllText(file, script);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var redactor = new Redactor();
        redactor.Add("s3cret-t0ken");
        return new SignerProgram(file, "k.pem", redactor);
    }
}
