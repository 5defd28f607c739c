using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Trust;

/// <summary>Certificates that are trusted because somebody decided so, and not because another certificate says so.</summary>
internal sealed class TrustAnchors
{
    private readonly HashSet<string> fingerprints;

    /// <param name="pinned">SHA-256 of further certificates, in hexadecimal digits: they count where a signature brings them along.</param>
    public TrustAnchors(IEnumerable<X509Certificate2> certificates, params IEnumerable<string> pinned)
    {
        Certificates = [.. certificates];
        fingerprints = Certificates.Select(Fingerprint).Concat(pinned).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    public static TrustAnchors None { get; } = new([]);

    public IReadOnlyList<X509Certificate2> Certificates { get; }

    public IEnumerable<string> Fingerprints => fingerprints.Order(StringComparer.OrdinalIgnoreCase);

    public bool IsEmpty => fingerprints.Count == 0;

    public bool Contains(X509Certificate2 certificate) => fingerprints.Contains(Fingerprint(certificate));

    private static string Fingerprint(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);
}
