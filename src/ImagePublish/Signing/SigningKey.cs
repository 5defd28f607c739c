using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>A private key that images are signed with. It has no text form: nothing of it can get into a log.</summary>
internal sealed class SigningKey
{
    /// <summary>The environment variable with the password of an encrypted key.</summary>
    public const string PasswordVariable = "IMAGE_SIGNING_PASSWORD";

    private const int MaxSize = 64 * 1024;
    private const string EcKey = "1.2.840.10045.2.1";
    private const string RsaKey = "1.2.840.113549.1.1.1";
    private const string Ed25519Key = "1.3.101.112";

    private readonly AsymmetricAlgorithm key;

    private SigningKey(AsymmetricAlgorithm key, VerificationKey publicKey) => (this.key, Public) = (key, publicKey);

    public VerificationKey Public { get; }

    /// <summary>Reads the private key of a PEM text.</summary>
    /// <param name="name">What it is called in messages.</param>
    /// <exception cref="ImagePublishException"><c>IMG6023</c>: nothing can be signed with it.</exception>
    public static SigningKey Parse(string name, string pem, string? password)
    {
        try
        {
            var (label, content) = FindBlock(name, pem);
            try
            {
                return Import(name, label, content, password);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(content);
            }
        }
        catch (Exception exception) when (exception is CryptographicException or PlatformNotSupportedException or ArgumentException)
        {
            // The framework's messages are about the form, never about the content.
            throw Unusable(name, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }
    }

    /// <summary>Reads the text of a key file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6023</c>: it can't be read.</exception>
    public static string ReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                throw Unusable($"'{path}'", "there is no such file");
            return file.Length <= MaxSize
                ? File.ReadAllText(path)
                : throw Unusable($"'{path}'", $"it has more than {MaxSize} bytes, and is no key");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"'{path}'", $"it can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    internal static ImagePublishException Unusable(string name, string reason, Exception? cause = null) =>
        new(DiagnosticCodes.SigningKeyUnusable, $"No image can be signed with {Text.Sanitize(name)}: {reason}.", cause);

    /// <summary>Signs a statement in a sigstore bundle, whose readers take the hash that belongs to the curve.</summary>
    public byte[] SignBundle(ReadOnlySpan<byte> data) => Sign(data, Public.CosignAlgorithms[0]);

    /// <summary>Signs a payload at the tag <c>sha256-….sig</c>, whose readers take SHA-256 with every key.</summary>
    public byte[] SignTag(ReadOnlySpan<byte> data) =>
        Sign(data, Public.CosignAlgorithms.First(algorithm => algorithm.Hash == HashAlgorithmName.SHA256));

    private byte[] Sign(ReadOnlySpan<byte> data, SignatureAlgorithm algorithm) =>
        key is RSA rsa
            ? rsa.SignData(data, algorithm.Hash, RSASignaturePadding.Pkcs1)
            : ((ECDsa)key).SignData(data, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence);

    // OpenSSL writes the parameters of a curve in a block of their own, before the key.
    private static (string Label, byte[] Content) FindBlock(string name, string pem)
    {
        if (pem.Contains("Proc-Type:", StringComparison.Ordinal))
            throw Unusable(name, $"it is encrypted in OpenSSL's old form. Convert it with 'openssl pkcs8 -topk8 -in KEY -out NEW'");
        for (ReadOnlySpan<char> rest = pem; PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            var label = rest[fields.Label].ToString();
            if (label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))
                return (label, Convert.FromBase64String(rest[fields.Base64Data].ToString()));
        }

        throw Unusable(name, "it has no private key in PEM, which begins with '-----BEGIN PRIVATE KEY-----'");
    }

    private static SigningKey Import(string name, string label, byte[] content, string? password)
    {
        switch (label)
        {
            case "PRIVATE KEY":
                return Import(name, Pkcs8PrivateKeyInfo.Decode(content, out _, skipCopy: true), content);
            case "EC PRIVATE KEY":
                var ecdsa = ECDsa.Create();
                ecdsa.ImportECPrivateKey(content, out _);
                return Create(ecdsa);
            case "RSA PRIVATE KEY":
                var rsa = RSA.Create();
                rsa.ImportRSAPrivateKey(content, out _);
                return Create(rsa);
            case "ENCRYPTED PRIVATE KEY":
                return ImportEncrypted(name, content, password);
            case "ENCRYPTED SIGSTORE PRIVATE KEY" or "ENCRYPTED COSIGN PRIVATE KEY":
                throw Unusable(
                    name,
                    "it is a key file of cosign, whose encryption .NET does not have. Make the key with 'openssl genpkey -algorithm EC "
                        + "-pkeyopt ec_paramgen_curve:P-256 -aes256 -out KEY', and give it to cosign with "
                        + "'cosign import-key-pair --key KEY'"
                );
            default:
                throw Unusable(name, $"it is an '{Text.Sanitize(label)}', which is not supported. Convert it with 'openssl pkcs8 -topk8'");
        }
    }

    private static SigningKey ImportEncrypted(string name, byte[] content, string? password)
    {
        if (string.IsNullOrEmpty(password))
            throw Unusable(name, $"it is encrypted. Set the environment variable {PasswordVariable} to its password");
        Pkcs8PrivateKeyInfo info;
        try
        {
            info = Pkcs8PrivateKeyInfo.DecryptAndDecode(password, content, out _);
        }
        catch (CryptographicException exception)
        {
            throw Unusable(name, $"it can't be decrypted: the password in {PasswordVariable} is wrong, or it is damaged", exception);
        }

        var plain = info.Encode();
        try
        {
            return Import(name, info, plain);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static SigningKey Import(string name, Pkcs8PrivateKeyInfo info, byte[] content)
    {
        switch (info.AlgorithmId.Value)
        {
            case EcKey:
                var ecdsa = ECDsa.Create();
                ecdsa.ImportPkcs8PrivateKey(content, out _);
                return Create(ecdsa);
            case RsaKey:
                var rsa = RSA.Create();
                rsa.ImportPkcs8PrivateKey(content, out _);
                return Create(rsa);
            case Ed25519Key:
                throw Unusable(name, "it is an Ed25519 key, which .NET does not have. Use an ECDSA key on P-256");
            case var other:
                throw Unusable(name, $"it is a key of the kind {other}, and only ECDSA and RSA keys are supported");
        }
    }

    // What verifiers refuse is not signed with.
    private static SigningKey Create(AsymmetricAlgorithm key) => new(key, VerificationKey.Read(key.ExportSubjectPublicKeyInfo()));
}
