using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Oci;

namespace ImagePublish.Reporting;

/// <summary>Signatures as a table for people.</summary>
internal static class SignatureTables
{
    public static IEnumerable<string> Of(SignatureReport report)
    {
        var subject = report.Subject;
        var title = $"{subject.Name.Repository}@{subject.Digests[0]}";
        if (report.IsExempt)
            return [title, "No signatures are verified: no policy covers its repository."];
        if (report.Signatures.Count == 0)
            return [title, "No signatures."];
        var table = new TextTable("FORM", "VERIFIED", "SIGNER", "REASON");
        foreach (var signature in report.Signatures)
            table.Add(
                signature.FormName,
                signature.Accepted is null ? "no" : "yes",
                signature.Accepted?.Signer ?? "",
                signature.Refused is { } refused ? $"{refused.Code}: {refused.Message}" : signature.Accepted?.Doubt ?? ""
            );
        return [title, .. table.Lines()];
    }

    public static IEnumerable<string> Of(AttestationReport report)
    {
        if (report.Attestations.Count == 0)
            return ["No attestations."];
        var table = new TextTable("ATTESTATION", "OF", "SIGNED BY", "SAYS");
        foreach (var one in report.Attestations)
            table.Add(
                AttachmentTypes.NameOf(one.Claims.Predicate),
                Short(one.Subject),
                one.Problem is null ? one.Signer ?? "no trusted signer" : "",
                one.Problem is { } problem ? $"does not count: it {problem}" : AttestationVerifier.Describe(one.Claims)
            );
        return table.Lines();
    }

    private static string Short(Digest digest) => digest.Hex[..12];
}
