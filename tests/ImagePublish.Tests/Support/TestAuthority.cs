using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace ImagePublish.Tests.Support;

/// <summary>A signer's key with its certificates, the signer's own first.</summary>
internal sealed record TestSigner(AsymmetricAlgorithm Key, IReadOnlyList<X509Certificate2> Chain)
{
    public X509Certificate2 Leaf => Chain[0];

    public X509Certificate2 Root => Chain[^1];
}

/// <summary>What is unusual about a certificate.</summary>
internal sealed record LeafOptions
{
    public string Subject { get; init; } = "C=US, ST=WA, O=Acme, CN=Acme signing";

    public DateTimeOffset From { get; init; } = DateTimeOffset.UtcNow.AddDays(-10);

    public DateTimeOffset To { get; init; } = DateTimeOffset.UtcNow.AddDays(10);

    public bool IsAuthority { get; init; }

    public X509KeyUsageFlags? Usage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    public string? Purpose { get; init; } = TestAuthority.CodeSigning;

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    /// <summary>An extension that the certificate has too.</summary>
    public string? Extension { get; init; }
}

/// <summary>A root with an authority below it, made by the framework: it issues certificates and time-stamps.</summary>
internal sealed class TestAuthority
{
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    public const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    private static readonly ConcurrentDictionary<(string Kind, string Owner), RSAParameters> SharedKeys = new();

    private readonly RSA middleKey;
    private readonly X509Certificate2 middle;

    /// <param name="name">An authority of each name has keys of its own.</param>
    /// <param name="isNamesake">Whether it is not the one that has this name otherwise.</param>
    public TestAuthority(string name = "Acme", bool isNamesake = false)
    {
        var owner = isNamesake ? $"another {name}" : name;
        var rootKey = (RSA)SharedKey("RSA-2048", $"{owner} root");
        middleKey = (RSA)SharedKey("RSA-2048", $"{owner} authority");
        var root = Request(rootKey, $"CN={name} root", HashAlgorithmName.SHA256, isAuthority: true);
        Root = root.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-20), DateTimeOffset.UtcNow.AddYears(20));
        var request = Request(middleKey, $"CN={name} authority", HashAlgorithmName.SHA256, isAuthority: true);
        middle = request
            .Create(Root, DateTimeOffset.UtcNow.AddYears(-19), DateTimeOffset.UtcNow.AddYears(19), RandomNumberGenerator.GetBytes(8))
            .CopyWithPrivateKey(middleKey);
    }

    public X509Certificate2 Root { get; }

    public string RootPem => Root.ExportCertificatePem();

    /// <summary>A key that no other test has.</summary>
    public static AsymmetricAlgorithm NewKey(string kind) =>
        kind switch
        {
            "P-256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "P-384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            "P-521" => ECDsa.Create(ECCurve.NamedCurves.nistP521),
            "secp256k1" => ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10")),
            _ => RSA.Create(int.Parse(kind["RSA-".Length..], System.Globalization.CultureInfo.InvariantCulture)),
        };

    /// <summary>
    /// A key that tests have in common if it is an RSA key, which takes up to seconds to make: one for each owner, of whom a test names as
    /// many as it needs different keys.
    /// </summary>
    public static AsymmetricAlgorithm SharedKey(string kind, string owner = "")
    {
        if (!kind.StartsWith("RSA-", StringComparison.Ordinal))
            return NewKey(kind);
        return RSA.Create(SharedKeys.GetOrAdd((kind, owner), key => ((RSA)NewKey(key.Kind)).ExportParameters(true)));
    }

    public static CertificateRequest Request(AsymmetricAlgorithm key, string subject, HashAlgorithmName hash, bool isAuthority)
    {
        var request = key is ECDsa ecdsa
            ? new CertificateRequest(subject, ecdsa, hash)
            : new CertificateRequest(subject, (RSA)key, hash, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (isAuthority)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request;
    }

    public TestSigner Issue(string kind = "P-256", LeafOptions? options = null) => Issue(SharedKey(kind), options);

    public TestSigner Issue(AsymmetricAlgorithm key, LeafOptions? options = null)
    {
        options ??= new LeafOptions();
        var request = Request(key, options.Subject, HashAlgorithmName.SHA256, options.IsAuthority);
        if (options.Usage is { } usage && !options.IsAuthority)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        if (options.Purpose is { } purpose)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], purpose == TimeStamping));
        if (options.Extension is { } extension)
            request.CertificateExtensions.Add(new X509Extension(extension, "hi"u8, false));
        var generator =
            options.Hash == HashAlgorithmName.SHA1
                ? new Sha1Generator(middleKey)
                : X509SignatureGenerator.CreateForRSA(middleKey, RSASignaturePadding.Pkcs1);
        var leaf = new CertificateRequest(request.SubjectName, request.PublicKey, options.Hash)
            .With(request.CertificateExtensions)
            .Create(middle.SubjectName, generator, options.From, options.To, RandomNumberGenerator.GetBytes(8));
        return new TestSigner(key, [leaf, Public(middle), Public(Root)]);
    }

    /// <summary>A time-stamp (RFC 3161) of bytes, written by hand.</summary>
    public byte[] Stamp(ReadOnlySpan<byte> data, DateTimeOffset at, LeafOptions? options = null)
    {
        using var key = (RSA)SharedKey("RSA-2048");
        options ??= new LeafOptions { Subject = "CN=Acme time-stamps", Purpose = TimeStamping };
        var signer = Issue(key, options with { From = at.AddDays(-1), To = at.AddYears(1) });
        using var withKey = signer.Leaf.CopyWithPrivateKey(key);
        var cms = new SignedCms(new ContentInfo(new Oid("1.2.840.113549.1.9.16.1.4"), Content(data, at)));
        var cmsSigner = new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, withKey) { DigestAlgorithm = new Oid(Sha256) };
        cmsSigner.IncludeOption = X509IncludeOption.EndCertOnly;
        cmsSigner.Certificates.Add(signer.Chain[1]);
        cmsSigner.SignedAttributes.Add(new AsnEncodedData(new Oid("1.2.840.113549.1.9.16.2.47"), SigningCertificate(signer.Leaf)));
        cms.ComputeSignature(cmsSigner);
        return cms.Encode();
    }

    private const string Sha256 = "2.16.840.1.101.3.4.2.1";

    private static X509Certificate2 Public(X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);

    private static byte[] Content(ReadOnlySpan<byte> data, DateTimeOffset at)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            writer.WriteObjectIdentifier("1.3.6.1.4.1.99999.1");
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                    writer.WriteObjectIdentifier(Sha256);
                writer.WriteOctetString(SHA256.HashData(data));
            }

            writer.WriteInteger(42);
            writer.WriteGeneralizedTime(at.ToUniversalTime(), omitFractionalSeconds: true);
        }

        return writer.Encode();
    }

    // ESSCertIDv2 with its default, SHA-256 (RFC 5035).
    private static byte[] SigningCertificate(X509Certificate2 certificate)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
            writer.WriteOctetString(SHA256.HashData(certificate.RawData));
        return writer.Encode();
    }
}

/// <summary>The framework writes no certificates with SHA-1.</summary>
internal sealed class Sha1Generator(RSA key) : X509SignatureGenerator
{
    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.2.840.113549.1.1.5");
            writer.WriteNull();
        }

        return writer.Encode();
    }

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
#pragma warning disable CA5350 // What it is for.
        key.SignData(data, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1);
#pragma warning restore CA5350

    protected override PublicKey BuildPublicKey() => new(key);
}

file static class Extensions
{
    public static CertificateRequest With(this CertificateRequest request, IEnumerable<X509Extension> extensions)
    {
        foreach (var extension in extensions)
            request.CertificateExtensions.Add(extension);
        return request;
    }
}
