using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>
/// The secret that builds share to believe each other's layers: with it an image carries, for each layer, a proof that its blob is what its
/// tar became.
/// </summary>
/// <remarks>
/// A proof is HMAC-SHA256 over diff id, blob digest, blob size and compression. It does not restrict who may pull the image,
/// and it is public: the key must be long enough to withstand guessing.
/// </remarks>
internal sealed class CacheSecret
{
    public const int MinLength = 32;

    private readonly byte[] key;

    private CacheSecret(byte[] key) => this.key = key;

    /// <summary>A name of the key that does not give it away: two keys with the same name are the same.</summary>
    public string Id => Mac("key id")[..16];

    public static bool TryCreate(string secret, [NotNullWhen(true)] out CacheSecret? key)
    {
        key = secret.Length < MinLength ? null : new CacheSecret(Encoding.UTF8.GetBytes(secret));
        return key is not null;
    }

    public string Prove(Digest diffId, Descriptor blob) =>
        Mac(
            string.Create(
                CultureInfo.InvariantCulture,
                $"layer\n{diffId}\n{blob.Digest}\n{blob.Size}\n{MediaTypes.CompressionOf(blob.MediaType)}"
            )
        );

    public bool Accepts(string? proof, Digest diffId, Descriptor blob) =>
        proof is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(proof), Encoding.UTF8.GetBytes(Prove(diffId, blob)));

    /// <summary>A secret that follows from the key, for another purpose than proofs.</summary>
    public byte[] Derive(string purpose) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"ImagePublish.Tasks 1\nsecret\n{purpose}"));

    public override string ToString() => Id;

    private string Mac(string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"ImagePublish.Tasks 1\n{text}")));
}
