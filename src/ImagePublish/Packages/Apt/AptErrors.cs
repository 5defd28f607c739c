using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Apt;

/// <summary>What apt's complaints mean. apt speaks English here: its locale is set.</summary>
internal static class AptErrors
{
    private static readonly (string Sign, DiagnosticCode Code, string What, string Advice)[] Signs =
    [
        ("is not signed", DiagnosticCodes.PackageSourceUntrusted, "A package source is not signed by a key that is trusted", "Add its key (Signed-By), or use another source"),
        ("NO_PUBKEY", DiagnosticCodes.PackageSourceUntrusted, "A package source is signed by a key that is not trusted", "Add its key (Signed-By), or use another source"),
        ("public key is not available", DiagnosticCodes.PackageSourceUntrusted, "A package source is signed by a key that is not trusted", "Add its key (Signed-By), or use another source"),
        ("BADSIG", DiagnosticCodes.PackageSourceUntrusted, "A package source has a wrong signature", "Somebody changed it on its way; use another mirror"),
        ("invalid signature", DiagnosticCodes.PackageSourceUntrusted, "A package source has a wrong signature", "Somebody changed it on its way; use another mirror"),
        ("EXPKEYSIG", DiagnosticCodes.PackageSourceUntrusted, "A package source is signed by a key that has expired", "Get its new key"),
        ("isn't signed", DiagnosticCodes.PackageSourceUntrusted, "A package source is not signed by a key that is trusted", "Add its key (Signed-By), or use another source"),
        ("does not have a Release file", DiagnosticCodes.PackageSourceFailed, "A package source is none", "Check its address and suite"),
        ("Hash Sum mismatch", DiagnosticCodes.PackageTampered, "A package or index differs from its hash", "Try again; if it stays so, use another mirror"),
        ("unexpected size", DiagnosticCodes.PackageTampered, "A package or index differs from its hash", "Try again; if it stays so, use another mirror"),
        ("unmet dependencies", DiagnosticCodes.PackageConflict, "The packages can not be installed together", "Leave one of them out"),
        ("held broken packages", DiagnosticCodes.PackageConflict, "The packages can not be installed together", "Leave one of them out"),
        ("Unable to locate package", DiagnosticCodes.PackageUnknown, "A package does not exist in the sources", "Check its name for this release and architecture"),
        ("Couldn't find any package", DiagnosticCodes.PackageUnknown, "A package does not exist in the sources", "Check its name for this release and architecture"),
        ("no installation candidate", DiagnosticCodes.PackageUnknown, "A package does not exist in the sources", "Check its name for this release and architecture"),
        ("is a virtual package provided by", DiagnosticCodes.PackageUnknown, "A name stands for several packages", "Name one of them"),
        ("404", DiagnosticCodes.PackageGone, "A package is gone from its source", "Newer ones have taken its place: update the lock (msbuild -t:UpdateImageLock), or publish again"),
        ("File not found", DiagnosticCodes.PackageGone, "A package is gone from its source", "Newer ones have taken its place: update the lock (msbuild -t:UpdateImageLock), or publish again"),
    ];

    /// <summary>The failure that apt tells of.</summary>
    /// <param name="answer">What it said.</param>
    /// <returns>The exception.</returns>
    public static ImagePublishException Of(AptAnswer answer)
    {
        var all = answer.Output + "\n" + answer.Errors;
        foreach (var (sign, code, what, advice) in Signs)
        {
            if (all.Contains(sign, StringComparison.OrdinalIgnoreCase))
                return new ImagePublishException(code, $"{what}: {Lines(answer, sign)}. {advice}.");
        }

        return new ImagePublishException(DiagnosticCodes.PackageSourceFailed, $"apt could not read the package sources: {Lines(answer, "E:")}. Check the network and the sources.");
    }

    // What concerns the sign first: the names of packages and addresses stand there.
    private static string Lines(AptAnswer answer, string sign)
    {
        var lines = (answer.Errors + "\n" + answer.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var telling = lines.Where(line => line.Contains(sign, StringComparison.OrdinalIgnoreCase) || line.Contains("Depends:", StringComparison.Ordinal) || line.Contains("Conflicts:", StringComparison.Ordinal))
            .Select(line => line.StartsWith("E: ", StringComparison.Ordinal) || line.StartsWith("W: ", StringComparison.Ordinal) ? line[3..] : line).Distinct().Take(3).ToList();
        return Text.Shown(string.Join("; ", telling.Count > 0 ? telling : [.. lines.TakeLast(1)])).TrimEnd('.');
    }
}
