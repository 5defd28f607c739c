using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>A private key that images are signed with. It has no text form: nothing of it can get into a log.</summary>
internal sealed class SigningKey : Signer
{
    /// <summary>The environment variable with the password of an encrypted key.</summary>
    public const string PasswordVariable = "IMAGE_SIGNING_PASSWORD";

    private const int MaxSize = 64 * 1024;
    private const string EcKey = "1.2.840.10045.2.1";
    private const string RsaKey = "1.2.840.113549.1.1.1";

    // An algorithm of the framework's, or the seed of an Ed25519 key.
    private readonly object key;

    private SigningKey(object key, VerificationKey publicKey) => (this.key, Public) = (key, publicKey);

    public VerificationKey Public { get; }

    public override string Id => Public.Hint;

    public override Task<VerificationKey> GetPublicKeyAsync(CancellationToken cancellationToken) => Task.FromResult(Public);

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
                : throw Unusable($"'{path}'", $"it has more than {MaxSize} bytes, and is not a key");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"'{path}'", $"it can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    internal static ImagePublishException Unusable(string name, string reason, Exception? cause = null) =>
        new(DiagnosticCodes.SigningKeyUnusable, $"No image can be signed with {Text.Sanitize(name)}: {reason}.", cause);

    protected override Task<byte[]> SignAsync(
        ReadOnlyMemory<byte> data,
        SignatureAlgorithm algorithm,
        CancellationToken cancellationToken
    ) =>
        Task.FromResult(
            key switch
            {
                RSA rsa => rsa.SignData(data.Span, algorithm.Hash, PaddingOf(algorithm)),
                ECDsa ecdsa => ecdsa.SignData(data.Span, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence),
                _ => Ed25519Key.Sign((byte[])key, data.Span),
            }
        );

    private static RSASignaturePadding PaddingOf(SignatureAlgorithm algorithm) =>
        algorithm.Kind == SignatureKind.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;

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
                return ImportPlain(name, CosignKeyFile.Decrypt(name, content, RequirePassword(name, password)));
            default:
                throw Unusable(name, $"it is an '{Text.Sanitize(label)}', which is not supported. Convert it with 'openssl pkcs8 -topk8'");
        }
    }

    private static SigningKey ImportEncrypted(string name, byte[] content, string? password)
    {
        Pkcs8PrivateKeyInfo info;
        try
        {
            info = Pkcs8PrivateKeyInfo.DecryptAndDecode(RequirePassword(name, password), content, out _);
        }
        catch (CryptographicException exception)
        {
            throw Undecrypted(name, exception);
        }

        return ImportPlain(name, info.Encode());
    }

    private static string RequirePassword(string name, string? password) =>
        string.IsNullOrEmpty(password)
            ? throw Unusable(name, $"it is encrypted. Set the environment variable {PasswordVariable} to its password")
            : password;

    internal static ImagePublishException Undecrypted(string name, Exception? cause = null) =>
        Unusable(name, $"it can't be decrypted: the password in {PasswordVariable} is wrong, or it is damaged", cause);

    private static SigningKey ImportPlain(string name, byte[] plain)
    {
        try
        {
            return Import(name, Pkcs8PrivateKeyInfo.Decode(plain, out _, skipCopy: true), plain);
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
            case Ed25519Key.Kind:
                var seed = Ed25519Key.ReadSeed(info.PrivateKeyBytes.Span);
                return new SigningKey(seed, VerificationKey.Read(Ed25519Key.PublicInfo(seed)));
            case var other:
                throw Unusable(name, $"it is a key of the kind {other}, and only ECDSA, RSA and Ed25519 keys are supported");
        }
    }

    // What verifiers refuse is not signed with.
    private static SigningKey Create(AsymmetricAlgorithm key) => new(key, VerificationKey.Read(key.ExportSubjectPublicKeyInfo()));
}
