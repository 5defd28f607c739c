using ImagePublish.Commands;

namespace ImagePublish.Reporting;

/// <summary>Signatures as a table for people.</summary>
internal static class SignatureTables
{
    public static IEnumerable<string> Of(SignatureReport report)
    {
        var subject = report.Subject;
        var title = $"{subject.Name.Repository}@{subject.Digests[0]}";
        if (report.IsExempt)
            return [title, "The policy leaves out its repository: nothing is verified."];
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
}
