using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImagePublish.Common;

namespace ImagePublish.Trust;

/// <summary>What a certificate may be used for.</summary>
internal enum CertificatePurpose
{
    CodeSigning,

    TimeStamping,
}

/// <summary>A signer's certificate with those that it comes with.</summary>
/// <remarks>Nothing is downloaded, and revocation is not looked up: a build may have no network for it.</remarks>
internal sealed class CertificateChain
{
    public const int MaxCertificates = 10;

    private const int MaxCertificateSize = 16 * 1024;
    private const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    private const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    // Fulcio, the authority of keyless signatures, writes who signed into extensions of this arc. It gives certificates to everybody.
    private const string KeylessExtensions = "1.3.6.1.4.1.57264.1.";

    private static readonly string[] ForeignUsages =
    [
        "2.5.29.37.0",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.4",
        TimeStamping,
        "1.3.6.1.5.5.7.3.9",
    ];

    // md2, md4, md5 and sha1 with RSA; sha1 with ECDSA and DSA.
    private static readonly string[] WeakSignatures =
    [
        "1.2.840.113549.1.1.2",
        "1.2.840.113549.1.1.3",
        "1.2.840.113549.1.1.4",
        "1.2.840.113549.1.1.5",
        "1.2.840.10045.4.1",
        "1.2.840.10040.4.3",
    ];

    private CertificateChain(IReadOnlyList<X509Certificate2> certificates)
    {
        (Certificates, Leaf) = (certificates, certificates[0]);
        Key = KeyOf(Leaf);
    }

    public IReadOnlyList<X509Certificate2> Certificates { get; }

    public X509Certificate2 Leaf { get; }

    public VerificationKey Key { get; }

    /// <summary>The signer's name, as it is shown.</summary>
    public string Signer => NameOf(Leaf);

    /// <summary>Reads certificates in DER, the signer's first.</summary>
    public static CertificateChain Read(IReadOnlyList<byte[]> certificates)
    {
        if (certificates.Count is 0 or > MaxCertificates)
            throw RefusedSignatureException.Malformed($"it has {certificates.Count} certificates; 1 to {MaxCertificates} are accepted");
        return new CertificateChain([.. certificates.Select(ReadOne)]);
    }

    public static CertificateChain Create(X509Certificate2 leaf, IEnumerable<X509Certificate2> others) => new([leaf, .. others]);

    /// <summary>Makes sure that the chain leads to a trusted certificate at an instant.</summary>
    public void Verify(TrustAnchors anchors, CertificatePurpose purpose, DateTimeOffset at)
    {
        if (anchors.Contains(Leaf))
        {
            if (at.LocalDateTime < Leaf.NotBefore || at.LocalDateTime > Leaf.NotAfter)
                throw Expired(at);
            return;
        }

        RejectWeak(Leaf);
        using var chain = Build(anchors, purpose, at);
        foreach (var element in chain.ChainElements)
        {
            RejectWeak(element.Certificate);
            if (anchors.Contains(element.Certificate))
                return;
        }

        throw RefusedSignatureException.Untrusted(
            $"'{Signer}' signed it, whose certificate leads to '{NameOf(chain.ChainElements[^1].Certificate)}', which is not trusted"
        );
    }

    public bool IsValidAt(DateTimeOffset instant) =>
        Certificates.All(certificate => certificate.NotBefore <= instant.LocalDateTime && instant.LocalDateTime <= certificate.NotAfter);

    /// <summary>Makes sure that the signer's certificate is one for signing code, as the Notary Project wants it.</summary>
    /// <remarks><see
    /// href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements">
    /// Certificate requirements</see>.</remarks>
    public void RequireCodeSigning()
    {
        if (IsAuthority(Leaf))
            throw RefusedSignatureException.Malformed(
                $"the certificate of '{Signer}' is an authority's, which must not sign images itself"
            );
        var usage = Leaf.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
        if (usage is null || !usage.Critical || !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
            throw RefusedSignatureException.Malformed($"the certificate of '{Signer}' is not marked as one for digital signatures");
        var purposes = Leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault()?.EnhancedKeyUsages.Cast<Oid>().ToList();
        if (
            purposes?.Exists(purpose => ForeignUsages.Contains(purpose.Value)) == true
            || purposes?.TrueForAll(one => one.Value != CodeSigning) == true
        )
            throw RefusedSignatureException.Malformed($"the certificate of '{Signer}' is for another purpose than signing code");
    }

    /// <summary>Makes sure that it was not issued to whoever asked: then its name is what must be trusted, and not its authority.</summary>
    public void RejectKeyless()
    {
        if (Leaf.Extensions.Any(extension => extension.Oid?.Value?.StartsWith(KeylessExtensions, StringComparison.Ordinal) == true))
            throw RefusedSignatureException.Unsupported(
                "it is keyless: its certificate was issued to an identity of a CI system or a person for some minutes, and "
                    + "authorities are what is trusted. Trust its identity, in a policy with 'identities'"
            );
    }

    internal static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority);

    private X509Chain Build(TrustAnchors anchors, CertificatePurpose purpose, DateTimeOffset at)
    {
        var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = at.UtcDateTime;
        policy.ApplicationPolicy.Add(new Oid(purpose == CertificatePurpose.CodeSigning ? CodeSigning : TimeStamping));
        // A root that a signature brings along is only a place to end at: whether it is trusted is asked afterwards.
        var ends = IsSelfIssued(Certificates[^1]) ? [Certificates[^1]] : anchors.Certificates;
        foreach (var certificate in ends)
            (IsSelfIssued(certificate) ? policy.CustomTrustStore : policy.ExtraStore).Add(certificate);
        policy.ExtraStore.AddRange(Certificates.Skip(1).ToArray());
        if (chain.Build(Leaf))
            return chain;
        var problems = chain.ChainElements.SelectMany(element => element.ChainElementStatus).Concat(chain.ChainStatus).ToList();
        chain.Dispose();
        throw Explain(problems, at);
    }

    private RefusedSignatureException Explain(List<X509ChainStatus> problems, DateTimeOffset at)
    {
        if (problems.TrueForAll(problem => problem.Status == X509ChainStatusFlags.NotTimeValid))
            return Expired(at);
        var first = problems.Find(problem => problem.Status != X509ChainStatusFlags.NotTimeValid);
        return (first.Status & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0
            ? RefusedSignatureException.Untrusted($"'{Signer}' signed it, whose certificate leads to no trusted root")
            : RefusedSignatureException.Malformed(
                $"the certificates of '{Signer}' are no valid chain ({Text.Sanitize(first.Status.ToString())})"
            );
    }

    private RefusedSignatureException Expired(DateTimeOffset at) =>
        RefusedSignatureException.Expired(
            $"'{Signer}' signed it with a certificate that is valid from {Text.Rfc3339(Leaf.NotBefore)} to {Text.Rfc3339(Leaf.NotAfter)}, "
                + $"and not at {Text.Rfc3339(at)}"
        );

    private static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private void RejectWeak(X509Certificate2 certificate)
    {
        _ = KeyOf(certificate);
        // Nobody trusts a root because of the signature that it makes for itself.
        if (!IsSelfIssued(certificate) && WeakSignatures.Contains(certificate.SignatureAlgorithm.Value))
            throw RefusedSignatureException.Malformed(
                $"the certificate of '{NameOf(certificate)}' in the chain of '{Signer}' is signed with {Text.Sanitize(
                    certificate.SignatureAlgorithm.FriendlyName ?? "a weak hash"
                )}, which can be forged"
            );
    }

    /// <summary>The name of a certificate's issuer, as it is shown.</summary>
    public static string IssuerNameOf(X509Certificate2 certificate)
    {
        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: true);
        return Text.Sanitize(name.Length > 0 ? name : certificate.Issuer);
    }

    /// <summary>A certificate's name, as it is shown.</summary>
    public static string NameOf(X509Certificate2 certificate)
    {
        // A keyless one has no subject: who it was issued to is its alternative name.
        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        string?[] names = [name, certificate.Subject, KeylessIdentity.FindSubject(certificate), certificate.SerialNumber];
        return Text.Sanitize(names.First(one => !string.IsNullOrWhiteSpace(one))!);
    }

    private static VerificationKey KeyOf(X509Certificate2 certificate)
    {
        try
        {
            return VerificationKey.Read(certificate);
        }
        catch (CryptographicException exception)
        {
            throw RefusedSignatureException.Malformed(
                $"the certificate of '{NameOf(certificate)}' can't be used: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    private static X509Certificate2 ReadOne(byte[] der)
    {
        if (der.Length > MaxCertificateSize)
            throw RefusedSignatureException.Malformed($"a certificate of it has {der.Length} bytes; at most {MaxCertificateSize} are read");
        try
        {
            return X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException exception)
        {
            throw RefusedSignatureException.Malformed("a certificate of it is malformed", exception);
        }
    }
}
