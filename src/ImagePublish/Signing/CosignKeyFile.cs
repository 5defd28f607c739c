using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;

namespace ImagePublish.Signing;

/// <summary>The private key files of <c>cosign generate-key-pair</c>: scrypt and NaCl's secretbox, for which a library is loaded.</summary>
/// <remarks><see href="https://github.com/secure-systems-lab/go-securesystemslib/blob/main/encrypted/encrypted.go">go-securesystemslib,
/// encrypted</see>.</remarks>
internal static class CosignKeyFile
{
    private const int KeySize = 32;
    private const int NonceSize = 24;
    private const int TagSize = 16;
    private const int MaxSize = 64 * 1024;

    // cosign writes N = 65536, r = 8, p = 1, for which 64 MiB are needed.
    private const int MaxCost = 1 << 20;
    private const int MaxBlock = 32;
    private const int MaxParallel = 16;
    private const long MaxMemory = 256L << 20;

    private sealed record Parts(int Cost, int Block, int Parallel, byte[] Salt, byte[] Nonce, byte[] Box);

    /// <summary>Decrypts a key, which is PKCS#8.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6023</c>: the password is wrong, or it is damaged or absurd.</exception>
    public static byte[] Decrypt(string name, byte[] content, string password)
    {
        var parts = Read(name, content);
        var memory = 128L * parts.Cost * parts.Block;
        if (
            parts.Cost is < 2 or > MaxCost
            || (parts.Cost & (parts.Cost - 1)) != 0
            || parts.Block is < 1 or > MaxBlock
            || parts.Parallel is < 1 or > MaxParallel
            || memory > MaxMemory
        )
            throw SigningKey.Unusable(
                name,
                $"its scrypt parameters (N {parts.Cost}, r {parts.Block}, p {parts.Parallel}) are not accepted: N is a power of 2, and "
                    + $"at most {MaxMemory >> 20} MiB are used"
            );
        var key = SCrypt.Generate(Encoding.UTF8.GetBytes(password), parts.Salt, parts.Cost, parts.Block, parts.Parallel, KeySize);
        try
        {
            return Open(key, parts) ?? throw SigningKey.Undecrypted(name);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // XSalsa20 with Poly1305: the first block of the stream is the key of the tag, which precedes the text.
    private static byte[]? Open(byte[] key, Parts parts)
    {
        var cipher = new XSalsa20Engine();
        cipher.Init(forEncryption: false, new ParametersWithIV(new KeyParameter(key), parts.Nonce));
        var tagKey = new byte[KeySize];
        cipher.ProcessBytes(tagKey, 0, KeySize, tagKey, 0);
        var mac = new Poly1305();
        mac.Init(new KeyParameter(tagKey));
        mac.BlockUpdate(parts.Box, TagSize, parts.Box.Length - TagSize);
        var tag = new byte[TagSize];
        mac.DoFinal(tag, 0);
        if (!CryptographicOperations.FixedTimeEquals(tag, parts.Box.AsSpan(0, TagSize)))
            return null;
        var plain = new byte[parts.Box.Length - TagSize];
        cipher.ProcessBytes(parts.Box, TagSize, plain.Length, plain, 0);
        return plain;
    }

    private static Parts Read(string name, byte[] content)
    {
        try
        {
            using var document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 8 });
            var derivation = document.RootElement.GetProperty("kdf");
            var cipher = document.RootElement.GetProperty("cipher");
            var parameters = derivation.GetProperty("params");
            if (derivation.GetProperty("name").GetString() != "scrypt" || cipher.GetProperty("name").GetString() != "nacl/secretbox")
                throw SigningKey.Unusable(name, "it is encrypted in another way than cosign does");
            var parts = new Parts(
                parameters.GetProperty("N").GetInt32(),
                parameters.GetProperty("r").GetInt32(),
                parameters.GetProperty("p").GetInt32(),
                derivation.GetProperty("salt").GetBytesFromBase64(),
                cipher.GetProperty("nonce").GetBytesFromBase64(),
                document.RootElement.GetProperty("ciphertext").GetBytesFromBase64()
            );
            return parts is { Nonce.Length: NonceSize, Box.Length: > TagSize and <= MaxSize, Salt.Length: > 0 and <= MaxSize }
                ? parts
                : throw SigningKey.Unusable(name, "it is a key file of cosign, and damaged");
        }
        catch (Exception exception)
            when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw SigningKey.Unusable(name, "it is a key file of cosign, and damaged", exception);
        }
    }
}
