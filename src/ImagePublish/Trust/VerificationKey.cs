using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Trust;

/// <summary>A public key that is strong enough to be believed: ECDSA over P-256, P-384 or P-521, RSA with 2048 to 8192 bits, or
/// Ed25519.</summary>
internal sealed class VerificationKey
{
    private const int MinRsaBits = 2048;

    // Larger keys only cost time.
    private const int MaxRsaBits = 8192;
    private const string EcKey = "1.2.840.10045.2.1";
    private const string RsaKey = "1.2.840.113549.1.1.1";

    private static readonly Dictionary<string, (int Bits, SignatureAlgorithm Algorithm)> Curves = new()
    {
        ["1.2.840.10045.3.1.7"] = (256, SignatureAlgorithm.EcdsaSha256),
        ["1.3.132.0.34"] = (384, SignatureAlgorithm.EcdsaSha384),
        ["1.3.132.0.35"] = (521, SignatureAlgorithm.EcdsaSha512),
    };

    // An algorithm of the framework's, or the bytes of an Ed25519 key.
    private readonly object key;

    private VerificationKey(object key, byte[] info, string description, SignatureAlgorithm notation)
    {
        (this.key, Info, Description, NotationAlgorithm) = (key, info, description, notation);
    }

    /// <summary>The key as <c>SubjectPublicKeyInfo</c>, DER.</summary>
    public ReadOnlyMemory<byte> Info { get; }

    /// <summary>What kind of key it is, such as <c>ECDSA P-256</c>.</summary>
    public string Description { get; }

    /// <summary>The only algorithm that the Notary Project allows for this key; one that has no name there where it allows none.</summary>
    public SignatureAlgorithm NotationAlgorithm { get; }

    /// <summary>The algorithms that cosign uses with this key. It signed with SHA-256 on every curve at first.</summary>
    public IReadOnlyList<SignatureAlgorithm> CosignAlgorithms =>
        key is RSA ? [SignatureAlgorithm.RsaPkcs1Sha256]
        : key is byte[] || NotationAlgorithm == SignatureAlgorithm.EcdsaSha256 ? [NotationAlgorithm]
        : [NotationAlgorithm, SignatureAlgorithm.EcdsaSha256];

    /// <summary>SHA-256 of <see cref="Info"/> in base64: how a sigstore bundle names a key.</summary>
    public string Hint => Convert.ToBase64String(SHA256.HashData(Info.Span));

    /// <summary>The key itself, for verifiers of the framework, which have no Ed25519.</summary>
    public AsymmetricAlgorithm Key =>
        key as AsymmetricAlgorithm ?? throw new CryptographicException($"the key is an {Description} key, which .NET does not have");

    /// <summary>Reads a <c>SubjectPublicKeyInfo</c>.</summary>
    /// <exception cref="CryptographicException">It is malformed, too weak or of a kind that is not supported.</exception>
    public static VerificationKey Read(ReadOnlySpan<byte> info)
    {
        try
        {
            return ReadInfo(info.ToArray());
        }
        catch (Exception exception) when (exception is PlatformNotSupportedException or ArgumentException or OverflowException)
        {
            // Which curves and sizes there are is decided by the system's library.
            throw new CryptographicException("the key is of a kind that this machine does not know", exception);
        }
    }

    /// <summary>Reads a certificate's public key.</summary>
    /// <exception cref="CryptographicException">It is too weak or of a kind that is not supported.</exception>
    public static VerificationKey Read(X509Certificate2 certificate) => Read(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <param name="format">How an ECDSA signature is written: in DER (cosign), or as two numbers of fixed size (JWS, COSE).</param>
    public bool Verify(
        SignatureAlgorithm algorithm,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> signature,
        DSASignatureFormat format = DSASignatureFormat.IeeeP1363FixedFieldConcatenation
    )
    {
        try
        {
            return (key, algorithm.Kind) switch
            {
                (ECDsa ecdsa, SignatureKind.Ecdsa) => ecdsa.VerifyData(data, signature, algorithm.Hash, format),
                (byte[] ed25519, SignatureKind.Ed25519) => Ed25519Key.Verify(ed25519, data, signature),
                (RSA rsa, SignatureKind.RsaPss) => rsa.VerifyData(data, signature, algorithm.Hash, RSASignaturePadding.Pss),
                (RSA rsa, SignatureKind.RsaPkcs1) => rsa.VerifyData(data, signature, algorithm.Hash, RSASignaturePadding.Pkcs1),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static VerificationKey ReadInfo(byte[] bytes)
    {
        var read = PublicKey.CreateFromSubjectPublicKeyInfo(bytes, out var length);
        if (length != bytes.Length)
            throw new CryptographicException("the public key has bytes after its end");
        return read.Oid.Value switch
        {
            EcKey => ReadEcdsa(bytes),
            RsaKey => ReadRsa(bytes),
            Ed25519Key.Kind => new VerificationKey(Ed25519Key.Read(bytes), bytes, "Ed25519", SignatureAlgorithm.Ed25519),
            var other => throw new CryptographicException(
                $"the key is of the kind {other}, and only ECDSA, RSA and Ed25519 keys are supported"
            ),
        };
    }

    private static VerificationKey ReadEcdsa(byte[] info)
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(info, out _);
        var curve = ecdsa.ExportParameters(includePrivateParameters: false).Curve;
        return curve.IsNamed && Curves.TryGetValue(curve.Oid.Value ?? "", out var known)
            ? new VerificationKey(ecdsa, info, $"ECDSA P-{known.Bits}", known.Algorithm)
            : throw new CryptographicException("the key is on a curve other than P-256, P-384 and P-521, which are the supported ones");
    }

    private static VerificationKey ReadRsa(byte[] info)
    {
        var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(info, out _);
        var notation = rsa.KeySize switch
        {
            < MinRsaBits or > MaxRsaBits => throw new CryptographicException(
                $"the RSA key has {rsa.KeySize} bits; {MinRsaBits} to {MaxRsaBits} are accepted"
            ),
            < 3072 => SignatureAlgorithm.RsaPssSha256,
            < 4096 => SignatureAlgorithm.RsaPssSha384,
            _ => SignatureAlgorithm.RsaPssSha512,
        };
        return new VerificationKey(rsa, info, $"RSA {rsa.KeySize}", notation);
    }
}
