using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>What cosign signs in a <c>.sig</c> tag: a small document that names a manifest, with the signature beside it.</summary>
/// <remarks><see href="https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md">Cosign Signature
/// Specifications</see>.</remarks>
internal sealed record SimpleSigning(ReadOnlyMemory<byte> Payload, byte[] Signature, SigstoreMaterial Material)
{
    public const string LayerType = "application/vnd.dev.cosign.simplesigning.v1+json";
    public const string SignatureAnnotation = "dev.cosignproject.cosign/signature";
    public const string CertificateAnnotation = "dev.sigstore.cosign/certificate";
    public const string ChainAnnotation = "dev.sigstore.cosign/chain";

    /// <summary>The annotation with the signature's entry in a public log.</summary>
    public const string LogAnnotation = "dev.sigstore.cosign/bundle";

    /// <summary>What cosign calls its documents.</summary>
    public const string CosignType = "cosign container image signature";

    public const int MaxSize = 64 * 1024;

    private const string Document = "what it signs";

    /// <summary>The tag that has the signatures of a manifest.</summary>
    public static Tag TagOf(Digest subject) => Tag.Parse($"{subject.Algorithm}-{subject.Hex}.sig");

    public static SimpleSigning Read(ReadOnlyMemory<byte> payload, IReadOnlyDictionary<string, string> annotations)
    {
        if (!annotations.TryGetValue(SignatureAnnotation, out var signature) || signature.Length is 0 or > MaxSize)
            throw RefusedSignatureException.Malformed($"its layer has no annotation '{SignatureAnnotation}'");
        return new SimpleSigning(
            payload,
            SignatureJson.Bytes(signature, "it"),
            new SigstoreMaterial(ReadCertificates(annotations.GetValueOrDefault(CertificateAnnotation)))
            {
                Others = ReadCertificates(annotations.GetValueOrDefault(ChainAnnotation)),
                LogEntries = annotations.GetValueOrDefault(LogAnnotation) is { Length: > 0 and <= MaxSize } entry
                    ? [LogEntry.ReadAnnotation(entry)]
                    : [],
            }
        );
    }

    /// <summary>Makes sure that what is signed is a certain manifest.</summary>
    public void RequireTarget(Digest subject)
    {
        using var payload = SignatureJson.Parse(Payload, Document);
        var critical = SignatureJson.Required(payload.RootElement, "critical", JsonValueKind.Object, Document);
        var type = SignatureJson.Text(critical, "type", Document);
        if (type is not (CosignType or "atomic container signature"))
            throw RefusedSignatureException.Malformed($"{Document} is not an image signature but '{Common.Text.Sanitize(type)}'");
        var image = SignatureJson.Required(critical, "image", JsonValueKind.Object, Document);
        var digest = SignatureJson.Text(image, "docker-manifest-digest", Document);
        if (digest != subject.Value)
            throw RefusedSignatureException.Malformed($"it is the signature of another image, {Common.Text.Sanitize(digest)}");
    }

    /// <summary>The image's name in the registry, as the signer wrote it; null where it has none.</summary>
    public string? ReadReference()
    {
        using var payload = SignatureJson.Parse(Payload, Document);
        var critical = SignatureJson.Required(payload.RootElement, "critical", JsonValueKind.Object, Document);
        return SignatureJson.Optional(critical, "identity", JsonValueKind.Object, Document) is { } identity
            ? SignatureJson.OptionalText(identity, "docker-reference", Document)
            : null;
    }

    private static IReadOnlyList<byte[]> ReadCertificates(string? pem)
    {
        if (string.IsNullOrWhiteSpace(pem))
            return [];
        if (pem.Length > MaxSize)
            throw RefusedSignatureException.Malformed($"its certificates have {pem.Length} characters; at most {MaxSize} are read");
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException exception)
        {
            throw RefusedSignatureException.Malformed("a certificate of it is malformed", exception);
        }

        return [.. certificates.Select(certificate => certificate.RawData)];
    }
}

/// <summary>What comes with a signature of sigstore to verify it with.</summary>
/// <param name="Certificates">The signer's certificate, perhaps with its chain; none where it is made with a bare key.</param>
internal sealed record SigstoreMaterial(IReadOnlyList<byte[]> Certificates)
{
    /// <summary>Further certificates of the chain.</summary>
    public IReadOnlyList<byte[]> Others { get; init; } = [];

    /// <summary>The signature's entries in a public log.</summary>
    public IReadOnlyList<LogEntry> LogEntries { get; init; } = [];

    /// <summary>Time-stamps (RFC 3161) of the signature.</summary>
    public IReadOnlyList<byte[]> TimeStamps { get; init; } = [];
}
