using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Trust;

/// <summary>When a time-stamp authority saw a signature, and by how much it may be wrong.</summary>
internal readonly record struct StampedTime(DateTimeOffset Instant, TimeSpan Accuracy)
{
    public DateTimeOffset Earliest => Instant - Accuracy;

    public DateTimeOffset Latest => Instant + Accuracy;
}

/// <summary>A time-stamp authority's word for when a signature existed.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc3161">RFC 3161</see>.</remarks>
internal static class TimeStamp
{
    private const int MaxSize = 64 * 1024;

    private static readonly string[] StrongHashes = ["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"];

    /// <summary>Verifies a token for a signature.</summary>
    public static StampedTime Verify(ReadOnlyMemory<byte> token, ReadOnlySpan<byte> signature, TrustAnchors authorities)
    {
        var read = Read(token);
        X509Certificate2? signer;
        try
        {
            if (!read.VerifySignatureForData(signature, out signer, [.. authorities.Certificates]) || signer is null)
                throw RefusedSignatureException.Malformed("its time-stamp is for another signature, or was altered");
        }
        catch (CryptographicException exception)
        {
            throw RefusedSignatureException.Malformed("its time-stamp can't be verified", exception);
        }

        var instant = read.TokenInfo.Timestamp;
        try
        {
            CertificateChain
                .Create(signer, Certificates(read).Where(other => !other.Equals(signer)))
                .Verify(authorities, CertificatePurpose.TimeStamping, instant);
        }
        catch (RefusedSignatureException exception)
        {
            throw new RefusedSignatureException(exception.Code, $"its time-stamp can't be believed: {exception.Message}", exception);
        }

        var accuracy = TimeSpan.FromMicroseconds(read.TokenInfo.AccuracyInMicroseconds ?? 0);
        return new StampedTime(instant, accuracy);
    }

    private static Rfc3161TimestampToken Read(ReadOnlyMemory<byte> token)
    {
        if (token.Length > MaxSize)
            throw RefusedSignatureException.Malformed($"its time-stamp has {token.Length} bytes; at most {MaxSize} are read");
        if (!Rfc3161TimestampToken.TryDecode(token, out var read, out var length) || length != token.Length)
            throw RefusedSignatureException.Malformed("its time-stamp is malformed");
        var signers = read.AsSignedCms().SignerInfos;
        string?[] hashes =
        [
            read.TokenInfo.HashAlgorithmId.Value,
            .. signers.Cast<SignerInfo>().Select(signer => signer.DigestAlgorithm.Value),
        ];
        if (signers.Count != 1 || hashes.Any(hash => !StrongHashes.Contains(hash)))
            throw RefusedSignatureException.Malformed("its time-stamp uses a hash that can be forged");
        return read;
    }

    private static X509Certificate2Collection Certificates(Rfc3161TimestampToken token)
    {
        var certificates = token.AsSignedCms().Certificates;
        return certificates.Count <= CertificateChain.MaxCertificates
            ? certificates
            : throw RefusedSignatureException.Malformed($"its time-stamp has {certificates.Count} certificates");
    }
}
