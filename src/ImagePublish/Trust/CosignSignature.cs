using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>A signature of cosign in either form: bytes, what is beside them, and what they are signed with.</summary>
internal sealed class CosignSignature
{
    private readonly ReadOnlyMemory<byte> payload;
    private readonly ReadOnlyMemory<byte> signed;
    private readonly byte[] signature;
    private readonly SigstoreMaterial material;
    private readonly Action<Digest> requireTarget;

    public CosignSignature(SimpleSigning simple) =>
        (payload, signed, signature, material, requireTarget) = (
            simple.Payload,
            simple.Payload,
            simple.Signature,
            simple.Material,
            simple.RequireTarget
        );

    /// <param name="predicate">What its statement must say.</param>
    public CosignSignature(SigstoreBundle bundle, string predicate = SigstoreBundle.SignaturePredicate) =>
        (payload, signed, signature, material, requireTarget) = (
            bundle.Statement,
            SigstoreBundle.SignedBytes(bundle.Statement.Span),
            bundle.Signature,
            bundle.Material,
            subject => bundle.RequireTarget(subject, predicate)
        );

    /// <summary>Verifies it with a key.</summary>
    public void Verify(VerificationKey key, Digest subject)
    {
        if (!IsMadeWith(key))
            throw RefusedSignatureException.Malformed(
                $"it does not fit its content and the trusted key ({key.Description}): it is another key's, or was altered"
            );
        // Only what is signed is read.
        requireTarget(subject);
    }

    /// <summary>Verifies it with the certificate that it comes with, which must lead to a trusted one.</summary>
    public AcceptedSignature Verify(TrustAnchors anchors, Digest subject, DateTimeOffset now)
    {
        if (material.Certificates.Count == 0)
            throw RefusedSignatureException.Untrusted("it comes without a certificate, and a certificate is what is trusted");
        var chain = CertificateChain.Read([.. material.Certificates, .. material.Others]);
        chain.RejectKeyless();
        if (!IsMadeWith(chain.Key))
            throw RefusedSignatureException.Malformed("it does not fit its content and its certificate: one of them was altered");
        var isStamped = VerifyChain(chain, anchors, now);
        requireTarget(subject);
        return new AcceptedSignature(chain.Signer, isStamped ? null : chain.Leaf.NotAfter);
    }

    /// <summary>Verifies it with the certificate that it comes with, which an identity got for some minutes, and with its log entry. Whose
    /// identity that is and what it signed is still to be compared.</summary>
    public KeylessIdentity VerifyKeyless(SigstoreRoot root)
    {
        if (material.Certificates.Count == 0)
            throw RefusedSignatureException.Untrusted("it comes without a certificate, and identities are what is trusted");
        var chain = CertificateChain.Read([material.Certificates[0]]);
        if (!IsMadeWith(chain.Key))
            throw RefusedSignatureException.Malformed("it does not fit its content and its certificate: one of them was altered");
        return KeylessVerification.Verify(root, new LoggedSignature(payload, signed, signature, chain.Leaf), material);
    }

    public void RequireTarget(Digest subject) => requireTarget(subject);

    private bool VerifyChain(CertificateChain chain, TrustAnchors anchors, DateTimeOffset now)
    {
        if (chain.IsValidAt(now) || material.TimeStamps.Count == 0)
        {
            chain.Verify(anchors, CertificatePurpose.CodeSigning, now);
            return false;
        }

        var stamped = TimeStamp.Verify(ReadToken(material.TimeStamps[0]), signature, anchors);
        chain.Verify(anchors, CertificatePurpose.CodeSigning, stamped.Earliest);
        chain.Verify(anchors, CertificatePurpose.CodeSigning, stamped.Latest);
        return true;
    }

    // A bundle has the whole response of the authority, whose second part is the token.
    internal static ReadOnlyMemory<byte> ReadToken(byte[] response)
    {
        if (Rfc3161TimestampToken.TryDecode(response, out _, out var length) && length == response.Length)
            return response;
        try
        {
            var reader = new System.Formats.Asn1.AsnReader(response, System.Formats.Asn1.AsnEncodingRules.BER);
            var parts = reader.ReadSequence();
            parts.ReadEncodedValue();
            return parts.ReadEncodedValue();
        }
        catch (System.Formats.Asn1.AsnContentException exception)
        {
            throw RefusedSignatureException.Malformed("its time-stamp is malformed", exception);
        }
    }

    private bool IsMadeWith(VerificationKey key) =>
        key.CosignAlgorithms.Any(algorithm => key.Verify(algorithm, signed.Span, signature, DSASignatureFormat.Rfc3279DerSequence));
}
