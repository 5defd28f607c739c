using System.Security.Cryptography.X509Certificates;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>Identities, whose signatures are keyless: a certificate for some minutes, and a public log that has the signature.</summary>
internal sealed record KeylessRule(string Name, SigstoreRoot Root, IReadOnlyList<IdentityPattern> Identities) : TrustRule(Name)
{
    public override string Identity => $"keyless {Root.Id} {string.Join('\n', Identities)}";

    public override bool Considers(SignatureForm form) => form is SignatureForm.SigstoreBundle or SignatureForm.SimpleSigning;

    public override AcceptedSignature Verify(SignatureArtifact artifact, Repository repository, Digest subject, DateTimeOffset now)
    {
        var signature = artifact.ReadCosign();
        var identity = signature.VerifyKeyless(Root);
        Require(identity);
        signature.RequireTarget(subject);
        return new AcceptedSignature(identity.Description, null);
    }

    /// <summary>Makes sure that an identity is trusted.</summary>
    public void Require(KeylessIdentity identity)
    {
        if (!Identities.Any(pattern => pattern.Matches(identity)))
            throw RefusedSignatureException.Untrusted($"{identity.Description} signed it, who is not one of the trusted identities");
    }
}

/// <summary>Verifies keyless signatures, in the order in which each step is worth the next.</summary>
/// <remarks><see href="https://github.com/sigstore/architecture-docs/blob/main/client-spec.md">Sigstore client
/// specification</see>.</remarks>
internal static class KeylessVerification
{
    /// <summary>Verifies everything but the identity and what is signed.</summary>
    public static KeylessIdentity Verify(SigstoreRoot root, LoggedSignature signature, SigstoreMaterial material)
    {
        if (CertificateChain.IsAuthority(signature.Signer))
            throw RefusedSignatureException.Malformed("its certificate is an authority's, which must not sign images itself");
        if (material.LogEntries.Count == 0)
            throw RefusedSignatureException.Malformed("no log has it, which keyless signatures must be in");
        List<DateTimeOffset> stamped = [.. material.TimeStamps.Select(stamp => VerifyStamp(root, stamp, signature.Signature))];
        List<DateTimeOffset> times = [.. stamped];
        foreach (var entry in material.LogEntries)
        {
            if (entry.VerifyInclusion(root.Logs, stamped) is { } logged)
                times.Add(logged);
            entry.RequireContent(signature);
        }

        if (times.Count == 0)
            throw RefusedSignatureException.Malformed("neither its log nor a time-stamp says when it was made");
        foreach (var time in times)
            VerifyChain(root, signature.Signer, time);
        CertificateTimestamp.Require(signature.Signer, IssuersOf(root, signature.Signer), root.CertificateLogs);
        return KeylessIdentity.Read(signature.Signer);
    }

    /// <summary>Makes sure that a certificate is of the root's authority, and that a log has it.</summary>
    public static KeylessIdentity VerifyCertificate(SigstoreRoot root, X509Certificate2 certificate, DateTimeOffset at)
    {
        VerifyChain(root, certificate, at);
        CertificateTimestamp.Require(certificate, IssuersOf(root, certificate), root.CertificateLogs);
        return KeylessIdentity.Read(certificate);
    }

    // The instant itself, as sigstore's own verifiers have it: its authority is accurate to a second, and a signature is made within the
    // first second of its certificate.
    private static DateTimeOffset VerifyStamp(SigstoreRoot root, byte[] stamp, byte[] signature)
    {
        RefusedSignatureException? refused = null;
        foreach (var authority in root.TimeStampAuthorities)
        {
            try
            {
                var at = TimeStamp.Verify(CosignSignature.ReadToken(stamp), signature, authority.Anchors).Instant;
                if (authority.Validity.Contains(at))
                    return at;
            }
            catch (RefusedSignatureException exception)
            {
                refused = exception;
            }
        }

        throw refused ?? RefusedSignatureException.Untrusted("its time-stamp is of no authority that is trusted");
    }

    private static void VerifyChain(SigstoreRoot root, X509Certificate2 certificate, DateTimeOffset at)
    {
        RefusedSignatureException? refused = null;
        foreach (var authority in root.Authorities.Where(one => one.Validity.Contains(at)))
        {
            try
            {
                CertificateChain.Create(certificate, authority.Chain).Verify(authority.Anchors, CertificatePurpose.CodeSigning, at);
                return;
            }
            catch (RefusedSignatureException exception)
            {
                // Of several authorities the one that expired says more than one that it is not of.
                if (refused is null || exception.Code == Diagnostics.DiagnosticCodes.SignatureExpired)
                    refused = exception;
            }
        }

        throw refused ?? RefusedSignatureException.Untrusted("no authority of certificates was trusted when it was made");
    }

    private static IEnumerable<X509Certificate2> IssuersOf(SigstoreRoot root, X509Certificate2 certificate) =>
        root
            .Authorities.SelectMany(authority => authority.Chain)
            .Where(issuer => issuer.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData));
}
