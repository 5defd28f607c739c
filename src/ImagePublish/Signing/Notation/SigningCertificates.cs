using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Notation;

/// <summary>The certificates of a key, as the Notary Project wants them before anything is signed: the signer's first, then those of who
/// issued each, and a root last.</summary>
/// <remarks><see
/// href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements">Certificate
/// requirements</see>.</remarks>
internal sealed class SigningCertificates
{
    private const int MaxSize = 256 * 1024;

    // notation's library knows no other sizes (notation-core-go, internal/algorithm).
    private static readonly int[] RsaSizes = [2048, 3072, 4096];

    private readonly string name;

    private SigningCertificates(string name, CertificateChain chain) => (this.name, Chain) = (name, chain);

    public CertificateChain Chain { get; }

    public VerificationKey Key => Chain.Key;

    /// <summary>SHA-256 of each, in hexadecimal digits.</summary>
    public IEnumerable<string> Thumbprints => Chain.Certificates.Select(one => one.GetCertHashString(HashAlgorithmName.SHA256));

    /// <summary>Differs for other certificates.</summary>
    public string Id => string.Join(' ', Thumbprints);

    /// <summary>Whom the root certifies.</summary>
    public TrustAnchors Anchors => new([Chain.Certificates[^1]]);

    /// <summary>Reads the certificates of a text in PEM.</summary>
    /// <param name="name">What they are called in messages.</param>
    /// <exception cref="ImagePublishException"><c>IMG6050</c>: Notation would refuse what is signed with them.</exception>
    public static SigningCertificates Parse(string name, string pem, DateTimeOffset now)
    {
        var certificates = new List<byte[]>();
        try
        {
            for (ReadOnlySpan<char> rest = pem; PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
            {
                if (rest[fields.Label] is "CERTIFICATE")
                    certificates.Add(Convert.FromBase64String(rest[fields.Base64Data].ToString()));
            }
        }
        catch (FormatException exception)
        {
            throw Unusable(name, "one of them is damaged", exception);
        }

        return certificates.Count > 0
            ? Create(name, certificates, now)
            : throw Unusable(name, "there is no certificate in PEM, which begins with '-----BEGIN CERTIFICATE-----'");
    }

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6050</c>: it can't be read.</exception>
    public static string ReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                throw Unusable($"'{path}'", "there is no such file");
            return file.Length <= MaxSize ? File.ReadAllText(path) : throw Unusable($"'{path}'", $"it has more than {MaxSize} bytes");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"'{path}'", $"it can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    /// <param name="certificates">In DER.</param>
    /// <exception cref="ImagePublishException"><c>IMG6050</c>: Notation would refuse what is signed with them.</exception>
    public static SigningCertificates Create(string name, IReadOnlyList<byte[]> certificates, DateTimeOffset now)
    {
        try
        {
            var chain = CertificateChain.Read(certificates);
            RequireSize(chain.Key);
            RequireOrder(chain.Certificates);
            RequireTime(chain.Certificates, now);
            chain.RequireCodeSigning();
            RequireUsages(chain);
            chain.Verify(new TrustAnchors([chain.Certificates[^1]]), CertificatePurpose.CodeSigning, now);
            return new SigningCertificates(name, chain);
        }
        catch (RefusedSignatureException exception)
        {
            throw Unusable(name, exception.Message, exception);
        }
    }

    /// <summary>Makes sure that they are a key's.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6050</c>: they are another key's.</exception>
    public void RequireKey(VerificationKey key)
    {
        if (!key.Info.Span.SequenceEqual(Key.Info.Span))
            throw Unusable(
                name,
                $"the first one, of '{Chain.Signer}', is for another key ({Key.Description}) than the one that signs ({key.Description})"
            );
    }

    public static ImagePublishException Unusable(string name, string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.SigningCertificatesUnusable,
            $"No image can be signed for Notation with the certificates of {Text.Sanitize(name)}: {reason}.",
            cause
        );

    private static void RequireSize(VerificationKey key)
    {
        if (key.NotationAlgorithm.JwsName is null)
            throw RefusedSignatureException.Malformed($"the key is an {key.Description} key, which the Notary Project does not allow");
        if (key.Key is RSA rsa && !RsaSizes.Contains(rsa.KeySize))
            throw RefusedSignatureException.Malformed(
                $"the key has {rsa.KeySize} bits, and notation takes RSA keys with 2048, 3072 and 4096 bits only"
            );
    }

    private static void RequireOrder(IReadOnlyList<X509Certificate2> certificates)
    {
        for (var at = 0; at < certificates.Count - 1; at++)
        {
            var name = CertificateChain.NameOf(certificates[at]);
            if (IsIssuedBy(certificates[at], certificates[at]))
                throw RefusedSignatureException.Malformed(
                    $"'{name}' is a root and not the last one. Put the signer's first, then each issuer's"
                );
            if (!IsIssuedBy(certificates[at], certificates[at + 1]))
                throw RefusedSignatureException.Malformed(
                    $"'{name}' is followed by '{CertificateChain.NameOf(certificates[at + 1])}', and was issued by "
                        + $"'{CertificateChain.IssuerNameOf(certificates[at])}'. Put the signer's first, then each issuer's, and the root "
                        + "last"
                );
        }

        if (!IsIssuedBy(certificates[^1], certificates[^1]))
            throw RefusedSignatureException.Malformed(
                $"the last one, of '{CertificateChain.NameOf(certificates[^1])}', is no root. Add the certificate of "
                    + $"'{CertificateChain.IssuerNameOf(certificates[^1])}', which issued it"
            );
    }

    private static void RequireTime(IEnumerable<X509Certificate2> certificates, DateTimeOffset now)
    {
        foreach (var one in certificates)
        {
            if (now < one.NotBefore || now > one.NotAfter)
                throw RefusedSignatureException.Malformed(
                    $"the one of '{CertificateChain.NameOf(one)}' is valid from {Text.Rfc3339(one.NotBefore)} to "
                        + $"{Text.Rfc3339(one.NotAfter)}, and it is {Text.Rfc3339(now)} by the clock of this machine"
                );
        }
    }

    private static void RequireUsages(CertificateChain chain)
    {
        var usage = UsageOf(chain.Leaf)!.KeyUsages & ~(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation);
        if (usage != X509KeyUsageFlags.None)
            throw RefusedSignatureException.Malformed(
                $"the one of '{chain.Signer}' is for more than digital signatures ({usage}), which notation refuses"
            );
        foreach (var authority in chain.Certificates.Skip(1))
        {
            var name = CertificateChain.NameOf(authority);
            var constraints = authority.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
            if (constraints is not { Critical: true, CertificateAuthority: true })
                throw RefusedSignatureException.Malformed(
                    $"the one of '{name}' does not say that it is an authority's (basic constraints, critical)"
                );
            if (UsageOf(authority) is not { Critical: true } signing || !signing.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
                throw RefusedSignatureException.Malformed(
                    $"the one of '{name}' does not say that it signs certificates (key usage, critical)"
                );
        }
    }

    private static X509KeyUsageExtension? UsageOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 issuer) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData);
}
