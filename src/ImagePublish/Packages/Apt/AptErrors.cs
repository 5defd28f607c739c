using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Apt;

/// <summary>What apt's complaints mean. apt speaks English here: its locale is set.</summary>
internal static partial class AptErrors
{
    private static readonly Sign[] Signs =
    [
        // The reason before its consequence: apt says of a source with a wrong signature that it is not signed, too.
        new(
            Redirects(),
            DiagnosticCodes.PackageSourceFailed,
            "A package source of the base image redirects to another address; redirects are not followed",
            "If you trust it, name it in ImagePackageSource"
        ),
        new(
            CaptivePortal(),
            DiagnosticCodes.PackageSourceFailed,
            "A package source answers with something that is not an index",
            "Check its address, and whether the network or a proxy wants you to sign in"
        ),
        new(
            ExpiredKey(),
            DiagnosticCodes.PackageSourceUntrusted,
            "A package source is signed by a key that has expired",
            "Get its new key"
        ),
        new(
            UnknownKey(),
            DiagnosticCodes.PackageSourceUntrusted,
            "A package source is signed by a key that is not trusted",
            "Add its key (Signed-By), or use another source"
        ),
        new(
            BadSignature(),
            DiagnosticCodes.PackageSourceUntrusted,
            "The signature of a package source is not valid",
            "It may have been altered in transit; use another mirror"
        ),
        new(
            Unsigned(),
            DiagnosticCodes.PackageSourceUntrusted,
            "A package source is not signed by a key that is trusted",
            "Add its key (Signed-By), or use another source"
        ),
        new(NoRelease(), DiagnosticCodes.PackageSourceFailed, "A package source has no index", "Check its address and suite"),
        new(
            WrongContent(),
            DiagnosticCodes.PackageTampered,
            "A package or index differs from its hash",
            "Try again; if it stays so, use another mirror"
        ),
        new(Unmet(), DiagnosticCodes.PackageConflict, "The packages can't be installed together", "Leave one of them out"),
        new(
            Unknown(),
            DiagnosticCodes.PackageUnknown,
            "A package does not exist in the sources",
            "Check its name for this release and architecture"
        ),
        new(Virtual(), DiagnosticCodes.PackageUnknown, "A name stands for several packages", "Name one of them"),
        new(
            Gone(),
            DiagnosticCodes.PackageGone,
            "A package is gone from its source",
            "Newer ones have taken its place: update the lock (msbuild -t:UpdateImageLock), or publish again"
        ),
    ];

    public static string Complaint(AptAnswer answer, string line) =>
        MayBeShown(answer, line) ? Text.Sanitize(line[3..]) : "apt names no source of the base image";

    public static ImagePublishException Explain(AptAnswer answer)
    {
        var lines = (answer.Errors + "\n" + answer.Output)
            .Split('\n')
            .Select(line => line.TrimEnd())
            .Where(line => line.Length > 0)
            .ToList();
        foreach (var sign in Signs)
        {
            if (lines.Exists(sign.Wording.IsMatch))
                return new ImagePublishException(sign.Code, $"{sign.What}: {Excerpt(answer, lines, sign.Wording)}. {sign.Advice}.");
        }

        return new ImagePublishException(
            DiagnosticCodes.PackageSourceFailed,
            $"apt could not read the package sources: {Excerpt(answer, lines, Error())}. Check the network and the sources."
        );
    }

    // The names of packages and addresses are in the lines that match.
    private static string Excerpt(AptAnswer answer, List<string> lines, Regex wording)
    {
        var matching = lines
            .Where(line => MayBeShown(answer, line))
            .Where(line =>
                wording.IsMatch(line)
                || line.Contains("Depends:", StringComparison.Ordinal)
                || line.Contains("Conflicts:", StringComparison.Ordinal)
            )
            .Select(line =>
                line.StartsWith("E: ", StringComparison.Ordinal) || line.StartsWith("W: ", StringComparison.Ordinal)
                    ? line[3..]
                    : line.Trim()
            )
            .Where(line => line != "Download Failed")
            .Distinct()
            .Take(3)
            .ToList();
        if (matching.Count == 0)
            matching = answer.Shown is { } addresses ? [$"one of {string.Join(", ", addresses)}"] : [.. lines.TakeLast(1)];
        return Text.Sanitize(string.Join("; ", matching)).TrimEnd('.');
    }

    // A base image could make apt read, and so quote, any file of this machine.
    private static bool MayBeShown(AptAnswer answer, string line) =>
        answer.Shown is not { } addresses
        || addresses.Any(address => line.Contains(address, StringComparison.Ordinal))
        || AboutPackages().IsMatch(line);

    // Addresses and names are in the same lines, and may have any digits and words in them. So a server's answer is looked for where apt
    // writes it: two spaces after the address, or alone in a line below it; and apt's own words with those around them.
    [GeneratedRegex("^([EW]: Failed to fetch \\S+)?  (404|410)  |^([EW]: Failed to fetch \\S+)?  File not found - ")]
    private static partial Regex Gone();

    [GeneratedRegex("^([EW]: Failed to fetch \\S+)?  (Hash Sum mismatch$|File has unexpected size \\()")]
    private static partial Regex WrongContent();

    [GeneratedRegex("Clearsigned file isn't valid, got ")]
    private static partial Regex CaptivePortal();

    [GeneratedRegex("^[EW]: (The repository '.*' (is not|isn't) signed\\.?$|There were unauthenticated packages)")]
    private static partial Regex Unsigned();

    [GeneratedRegex(": NO_PUBKEY [0-9A-F]+|public key is not available: |: Missing key [0-9A-F]+, which is needed to verify signature")]
    private static partial Regex UnknownKey();

    [GeneratedRegex(": BADSIG [0-9A-F]+|signatures were invalid: |At least one invalid signature was encountered")]
    private static partial Regex BadSignature();

    [GeneratedRegex(": EXPKEYSIG [0-9A-F]+")]
    private static partial Regex ExpiredKey();

    [GeneratedRegex("^[EW]: The repository '.*' (does not have|no longer has) a Release file")]
    private static partial Regex NoRelease();

    [GeneratedRegex(
        "^The following packages have unmet dependencies|^E: (Unable to correct problems, you have held broken packages|Unmet dependencies)"
    )]
    private static partial Regex Unmet();

    [GeneratedRegex("^E: (Unable to locate package |Couldn't find any package by |Package '.*' has no installation candidate)")]
    private static partial Regex Unknown();

    [GeneratedRegex("^Package \\S+ is a virtual package provided by")]
    private static partial Regex Virtual();

    [GeneratedRegex("^([EW]: Failed to fetch \\S+)?  30[12378]  ")]
    private static partial Regex Redirects();

    [GeneratedRegex(
        "^ +(\\S+ : )?(PreDepends|Depends|Conflicts|Breaks): |^E: (Unable to locate package |Couldn't find any package by "
            + "|Package '.*' has no installation candidate|Unable to correct problems)|^Package \\S+ is a virtual package"
    )]
    private static partial Regex AboutPackages();

    [GeneratedRegex("^(E: |W: Failed to fetch )")]
    private static partial Regex Error();

    private sealed record Sign(Regex Wording, DiagnosticCode Code, string What, string Advice);
}
