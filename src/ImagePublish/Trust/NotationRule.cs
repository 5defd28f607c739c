using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>Which Notation signatures are accepted.</summary>
internal sealed record NotationRule
{
    /// <summary>Authorities of signers who use <see cref="SigningScheme.X509"/>.</summary>
    public required TrustAnchors Authorities { get; init; }

    /// <summary>Authorities of those who use <see cref="SigningScheme.SigningAuthority"/>.</summary>
    public TrustAnchors SigningAuthorities { get; init; } = TrustAnchors.None;

    /// <summary>Authorities of time-stamps.</summary>
    public TrustAnchors TimeStampAuthorities { get; init; } = TrustAnchors.None;

    /// <summary>Whether a time-stamp is wanted although the signer's certificate is still valid.</summary>
    public bool WantsTimeStamp { get; init; }

    /// <summary>Who may sign; empty for whoever has a certificate of the authorities.</summary>
    public IReadOnlyList<SubjectPattern> Identities { get; init; } = [];

    /// <summary>Whether a signature past the time that its signer set is refused.</summary>
    public bool EnforcesExpiry { get; init; } = true;

    /// <summary>Whether the certificate must have been valid when the signature was made.</summary>
    public bool EnforcesTime { get; init; } = true;

    /// <summary>Verifies a signature of a manifest.</summary>
    public AcceptedSignature Verify(NotationEnvelope envelope, Digest subject, DateTimeOffset now)
    {
        envelope.RequireTarget(subject);
        envelope.RequireNoPlugin();
        var chain = envelope.Chain;
        chain.RequireCodeSigning();
        var isStamped = VerifyChain(envelope, now);
        if (Identities.Count > 0 && !Identities.Any(identity => identity.Matches(chain.Leaf)))
            throw RefusedSignatureException.Untrusted(
                $"'{Text.Sanitize(chain.Leaf.Subject)}' signed it, who is not one of the trusted identities"
            );
        if (EnforcesExpiry && envelope.Expiry is { } expiry && expiry <= now)
            throw RefusedSignatureException.Expired($"its signer set it to end at {Text.Rfc3339(expiry)}");
        // A result that is kept must not outlive what it rests on.
        var end = isStamped ? (DateTimeOffset?)null : chain.Leaf.NotAfter;
        if (EnforcesExpiry && envelope.Expiry is { } wanted && (end is null || wanted < end))
            end = wanted;
        return new AcceptedSignature(chain.Signer, EnforcesTime ? end : null);
    }

    // Whether the signature proves its time, so that it outlives its certificate.
    private bool VerifyChain(NotationEnvelope envelope, DateTimeOffset now)
    {
        var chain = envelope.Chain;
        if (envelope.Scheme == SigningScheme.SigningAuthority)
        {
            var signed = envelope.AuthenticTime
                ?? throw RefusedSignatureException.Malformed("its authority does not say when it was signed");
            chain.Verify(SigningAuthorities, CertificatePurpose.CodeSigning, signed);
            return true;
        }

        // Whom nobody trusts is not asked for a time-stamp.
        chain.Verify(Authorities, CertificatePurpose.CodeSigning, Clamp(chain, now));
        if (!EnforcesTime || (chain.IsValidAt(now) && !WantsTimeStamp))
            return !EnforcesTime;
        if (TimeStampAuthorities.IsEmpty || envelope.TimeStamp is not { } stamp)
            throw Unproven(envelope, now);
        var stamped = TimeStamp.Verify(stamp, envelope.Signature.Span, TimeStampAuthorities);
        chain.Verify(Authorities, CertificatePurpose.CodeSigning, stamped.Earliest);
        chain.Verify(Authorities, CertificatePurpose.CodeSigning, stamped.Latest);
        return true;
    }

    // An instant at which the signer's certificate is valid.
    private static DateTimeOffset Clamp(CertificateChain chain, DateTimeOffset now)
    {
        var (start, end) = ((DateTimeOffset)chain.Leaf.NotBefore, (DateTimeOffset)chain.Leaf.NotAfter);
        return now < start ? start
            : now >= end ? end.AddSeconds(-1)
            : now;
    }

    private static RefusedSignatureException Unproven(NotationEnvelope envelope, DateTimeOffset now)
    {
        var chain = envelope.Chain;
        var state = chain.IsValidAt(now)
            ? $"'{chain.Signer}' signed it"
            : $"'{chain.Signer}' signed it with a certificate that is valid from {Text.Rfc3339(chain.Leaf.NotBefore)} to "
                + Text.Rfc3339(chain.Leaf.NotAfter);
        return new RefusedSignatureException(
            DiagnosticCodes.SignatureExpired,
            envelope.TimeStamp is null
                ? $"{state}, and no time-stamp proves when"
                : $"{state}, and the policy has no authority for its time-stamp"
        );
    }
}

/// <summary>A signature that was accepted.</summary>
/// <param name="Signer">Whose it is, as it is shown.</param>
/// <param name="ValidUntil">When it must be looked at again; null for never.</param>
internal sealed record AcceptedSignature(string Signer, DateTimeOffset? ValidUntil)
{
    /// <summary>Why a stricter policy would refuse it; null where none would.</summary>
    public string? Doubt { get; init; }
}
