using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>How an image is signed.</summary>
internal enum SignatureForm
{
    /// <summary>The Notary Project's signature, as a referrer.</summary>
    Notation,

    /// <summary>A sigstore bundle, as a referrer: cosign 3.</summary>
    SigstoreBundle,

    /// <summary>A layer of the tag <c>sha256-….sig</c>: cosign 1 and 2.</summary>
    SimpleSigning,
}

/// <summary>A signature as a registry has it, not yet verified.</summary>
/// <param name="Digest">Its manifest's digest, or for <see cref="SignatureForm.SimpleSigning"/> its layer's.</param>
internal sealed record SignatureArtifact(SignatureForm Form, Digest Digest)
{
    public string MediaType { get; init; } = "";

    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>What a bundle's statement must say: by default that the image is signed.</summary>
    public string Predicate { get; init; } = SigstoreBundle.SignaturePredicate;

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Why it could not be read from the registry; null where it was.</summary>
    public RefusedSignatureException? Problem { get; init; }

    public bool HasCertificate =>
        Form == SignatureForm.SimpleSigning
            ? Annotations.ContainsKey(SimpleSigning.CertificateAnnotation)
            : SigstoreBundle.Read(Content).Material.Certificates.Count > 0;

    public NotationEnvelope ReadNotation() => NotationEnvelope.Read(MediaType, Content);

    public CosignSignature ReadCosign() =>
        Form == SignatureForm.SimpleSigning
            ? new CosignSignature(SimpleSigning.Read(Content, Annotations))
            : new CosignSignature(SigstoreBundle.Read(Content), Predicate);

    /// <summary>The form of a signature that is attached to an image, by its layer.</summary>
    public static SignatureForm FormOfLayer(string mediaType) =>
        mediaType is JwsEnvelope.MediaType or CoseEnvelope.MediaType ? SignatureForm.Notation : SignatureForm.SigstoreBundle;

    public static SignatureArtifact Unreadable(SignatureForm form, Digest digest, string reason) =>
        new(form, digest) { Problem = new RefusedSignatureException(DiagnosticCodes.SignatureInvalid, reason) };
}
