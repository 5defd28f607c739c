using System.Text;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>Whose signatures make an image trusted: one accepted by any of the rules is enough.</summary>
internal sealed record TrustPolicy(IReadOnlyList<TrustRule> Rules)
{
    // Counts up when verification becomes stricter: what was accepted before is looked at again.
    private const int Version = 1;

    /// <summary>Changes with everything that the policy says, and with every key and certificate in it.</summary>
    public Digest Id { get; } =
        Digest.Compute(Encoding.UTF8.GetBytes($"{Version}\n{string.Join('\n', Rules.Select(rule => rule.Identity))}"));
}

/// <summary>One way in which an image may be signed.</summary>
/// <param name="Name">What the user calls it: a file, or <c>Microsoft</c>.</param>
internal abstract record TrustRule(string Name)
{
    /// <summary>A text that is different for rules that decide differently.</summary>
    public abstract string Identity { get; }

    public abstract bool Considers(SignatureForm form);

    /// <summary>Verifies one signature of an image.</summary>
    /// <exception cref="RefusedSignatureException">It is not accepted.</exception>
    public abstract AcceptedSignature Verify(SignatureArtifact artifact, Repository repository, Digest subject, DateTimeOffset now);

    /// <summary>Whether an image of a repository is accepted without any signature.</summary>
    public virtual bool Exempts(Repository repository) => false;
}

/// <summary>A public key, whose signatures are cosign's.</summary>
internal sealed record KeyRule(string Name, VerificationKey Key) : TrustRule(Name)
{
    public override string Identity => $"key {Key.Hint}";

    public override bool Considers(SignatureForm form) => form is SignatureForm.SigstoreBundle or SignatureForm.SimpleSigning;

    public override AcceptedSignature Verify(SignatureArtifact artifact, Repository repository, Digest subject, DateTimeOffset now)
    {
        artifact.ReadCosign().Verify(Key, subject);
        return new AcceptedSignature($"the key of {Name}", null);
    }
}

/// <summary>Certificates: of authorities, or of signers themselves.</summary>
internal sealed record CertificateRule(string Name, TrustAnchors Anchors) : TrustRule(Name)
{
    public override string Identity => $"certificates {string.Join(' ', Anchors.Fingerprints)}";

    public override bool Considers(SignatureForm form) => true;

    public override AcceptedSignature Verify(SignatureArtifact artifact, Repository repository, Digest subject, DateTimeOffset now)
    {
        if (artifact.Form == SignatureForm.Notation)
            return new NotationRule { Authorities = Anchors, TimeStampAuthorities = Anchors }.Verify(artifact.ReadNotation(), subject, now);
        if (artifact.HasCertificate)
            return artifact.ReadCosign().Verify(Anchors, subject, now);
        // cosign signs with a certificate's key and may leave the certificate out.
        RefusedSignatureException? refused = null;
        foreach (var certificate in Anchors.Certificates.Where(one => !CertificateChain.IsAuthority(one)))
        {
            try
            {
                var signer = CertificateChain.Create(certificate, []);
                signer.Verify(Anchors, CertificatePurpose.CodeSigning, now);
                artifact.ReadCosign().Verify(signer.Key, subject);
                return new AcceptedSignature(signer.Signer, certificate.NotAfter);
            }
            catch (RefusedSignatureException exception)
            {
                refused = exception;
            }
        }

        throw refused ?? RefusedSignatureException.Untrusted("it comes without a certificate, and an authority's is what is trusted");
    }
}
