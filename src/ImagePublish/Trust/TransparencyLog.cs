using System.Security.Cryptography;
using System.Text;

namespace ImagePublish.Trust;

/// <summary>From when to when something is trusted; an end that is null is open.</summary>
internal readonly record struct Validity(DateTimeOffset? From, DateTimeOffset? To)
{
    public bool Contains(DateTimeOffset instant) => !(instant < From) && !(instant > To);
}

/// <summary>A log that everybody can read and nobody can change unnoticed, with the key that it signs its answers with.</summary>
/// <remarks>Rekor (signatures) and the logs of Certificate Transparency (certificates) are the same in this.</remarks>
internal sealed class TransparencyLog
{
    private readonly VerificationKey? key;

    /// <param name="info">Its key as <c>SubjectPublicKeyInfo</c>. One of a kind that is not supported verifies nothing.</param>
    public TransparencyLog(string address, byte[] id, byte[] info, Validity validity)
    {
        (Address, Id, Validity) = (address, id, validity);
        try
        {
            key = VerificationKey.Read(info);
        }
        catch (CryptographicException)
        {
            // What it signed is refused where it is met.
        }
    }

    public string Address { get; }

    public ReadOnlyMemory<byte> Id { get; }

    public Validity Validity { get; }

    public bool IsSupported => key is not null;

    /// <summary>Whether it is of Rekor's first version, whose answers have a time and a promise; the second signs with Ed25519.</summary>
    public bool IsFirstVersion => key is { NotationAlgorithm.Kind: not SignatureKind.Ed25519 };

    /// <summary>Whether a name can be the log's in its checkpoints: its address without the scheme, or the host of that.</summary>
    public bool IsNamed(string origin) =>
        Address.Length == 0
        || (
            Uri.TryCreate(Address, UriKind.Absolute, out var url)
            && (origin == url.IdnHost || origin == url.Authority || origin == url.Authority + url.AbsolutePath.TrimEnd('/'))
        );

    /// <summary>How a signed note says that the log signed it; its first four bytes are in there.</summary>
    /// <remarks><see href="https://github.com/C2SP/C2SP/blob/main/signed-note.md#signatures">C2SP, Signed Note</see>: ECDSA as Rekor's
    /// and sigstore's.</remarks>
    public byte[] NoteKeyId(string name)
    {
        byte[] info = key?.Info.ToArray() ?? [];
        return key?.NotationAlgorithm.Kind switch
        {
            SignatureKind.Ed25519 => SHA256.HashData([.. Encoding.UTF8.GetBytes($"{name}\n"), 0x01, .. Ed25519Key.Read(info)]),
            SignatureKind.Ecdsa => SHA256.HashData(info),
            _ => SHA256.HashData([.. Encoding.UTF8.GetBytes($"{name}\n"), 0xFF, .. "PKIX-RSA-PKCS#1v1.5"u8, .. info]),
        };
    }

    public bool HasSigned(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (key is null)
            return false;
        foreach (var algorithm in key.CosignAlgorithms)
        {
            if (key.Verify(algorithm, data, signature, DSASignatureFormat.Rfc3279DerSequence))
                return true;
        }

        return false;
    }
}
