using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace ImagePublish.Trust;

/// <summary>Ed25519 (<see href="https://www.rfc-editor.org/rfc/rfc8032">RFC 8032</see>), which .NET does not have. The library for it is
/// loaded when such a key is used.</summary>
internal static class Ed25519Key
{
    /// <summary>The kind of key in <c>SubjectPublicKeyInfo</c> and PKCS#8 (<see href="https://www.rfc-editor.org/rfc/rfc8410">RFC
    /// 8410</see>).</summary>
    public const string Kind = "1.3.101.112";

    private const int Size = 32;

    // SubjectPublicKeyInfo without the key.
    private static readonly byte[] Prefix = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];

    /// <summary>Reads the key of a <c>SubjectPublicKeyInfo</c>.</summary>
    /// <exception cref="CryptographicException">It is malformed, or anybody can make signatures for it.</exception>
    public static byte[] Read(ReadOnlySpan<byte> info)
    {
        if (info.Length != Prefix.Length + Size || !info.StartsWith(Prefix))
            throw new CryptographicException("the Ed25519 key is malformed");
        var key = info[Prefix.Length..].ToArray();
        return Ed25519.ValidatePublicKeyFull(key, 0)
            ? key
            : throw new CryptographicException("the Ed25519 key is not a point that a private key belongs to");
    }

    public static bool Verify(byte[] key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature.ToArray(), 0, key, 0, data.ToArray(), 0, data.Length);

    /// <summary>The public key as <c>SubjectPublicKeyInfo</c>.</summary>
    public static byte[] PublicInfo(byte[] seed)
    {
        var info = new byte[Prefix.Length + Size];
        Prefix.CopyTo(info, 0);
        Ed25519.GeneratePublicKey(seed, 0, info, Prefix.Length);
        return info;
    }

    public static byte[] Sign(byte[] seed, ReadOnlySpan<byte> data)
    {
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(seed, 0, data.ToArray(), 0, data.Length, signature, 0);
        return signature;
    }

    /// <summary>Reads the private key in PKCS#8: an OCTET STRING in its OCTET STRING.</summary>
    /// <exception cref="CryptographicException">It is malformed.</exception>
    public static byte[] ReadSeed(ReadOnlySpan<byte> privateKey) =>
        privateKey is [0x04, Size, .. var seed] && seed.Length == Size
            ? seed.ToArray()
            : throw new CryptographicException("the Ed25519 key is malformed");
}
