using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>A trust policy of the Notary Project: which signers are trusted for which repositories.</summary>
/// <remarks><see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md">Trust Store and
/// Trust Policy</see>. Revocation is not looked up: a build may have no network for it.</remarks>
internal sealed record PolicyRule(string Name, IReadOnlyList<NotationStatement> Statements) : TrustRule(Name)
{
    public override string Identity => $"policy {string.Join('\n', Statements.Select(statement => statement.Identity))}";

    public override bool Considers(SignatureForm form) => form == SignatureForm.Notation;

    public override bool Exempts(Repository repository) => Find(repository) is { Rule: null };

    public override AcceptedSignature Verify(SignatureArtifact artifact, Repository repository, Digest subject, DateTimeOffset now)
    {
        var statement = Find(repository)
            ?? throw new RefusedSignatureException(
                DiagnosticCodes.SignerUntrusted,
                $"no statement of {Name} is for the repository '{repository}'"
            );
        var envelope = artifact.ReadNotation();
        if (!statement.OnlyReports)
            return statement.Rule!.Verify(envelope, subject, now);
        // Reading it has verified it with its own certificate.
        envelope.RequireTarget(subject);
        try
        {
            return statement.Rule!.Verify(envelope, subject, now);
        }
        catch (RefusedSignatureException exception)
        {
            return new AcceptedSignature(envelope.Chain.Signer, null) { Doubt = exception.Message };
        }
    }

    // As the specification has it: the statement that names the repository, else the one for all.
    private NotationStatement? Find(Repository repository) =>
        Statements.FirstOrDefault(statement => statement.Scopes.Contains(repository.ToString()))
        ?? Statements.FirstOrDefault(statement => statement.Scopes is ["*"]);
}

/// <summary>One statement of a trust policy.</summary>
/// <param name="Scopes">Repositories with their registries, or <c>*</c> alone.</param>
internal sealed record NotationStatement(string Name, IReadOnlyList<string> Scopes)
{
    /// <summary>What is verified; null for nothing (<c>skip</c>).</summary>
    public NotationRule? Rule { get; init; }

    /// <summary>Whether a signer who is not trusted is only reported (<c>audit</c>).</summary>
    public bool OnlyReports { get; init; }

    public string Identity =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{string.Join(' ', Scopes)}|{OnlyReports}|{Rule?.EnforcesExpiry}|{Rule?.EnforcesTime}|{Rule?.WantsTimeStamp}|"
        )
        + string.Join('|', Of(Rule?.Authorities), Of(Rule?.SigningAuthorities), Of(Rule?.TimeStampAuthorities))
        + string.Join('|', Rule?.Identities.Select(identity => identity.ToString()) ?? []);

    private static string Of(TrustAnchors? anchors) => string.Join(' ', anchors?.Fingerprints ?? []);
}
