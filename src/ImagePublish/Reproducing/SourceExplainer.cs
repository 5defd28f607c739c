using System.Security.Cryptography;
using ImagePublish.Common;

namespace ImagePublish.Reproducing;

/// <summary>Explains which sources of an assembly differ, by the hashes in its symbols.</summary>
internal sealed class SourceExplainer(ReproductionPlan plan, Findings findings)
{
    private const long MaxSource = 4 << 20;
    private const string Mapped = "/_";

    /// <summary>Whether a path is what the compiler writes in place of the checkout's folder.</summary>
    public static bool IsMapped(string path) => path.StartsWith(Mapped, StringComparison.Ordinal);

    /// <summary>Compares the sources that two symbol files name. What is generated in <c>obj</c> follows from other things.</summary>
    public void Explain(string assembly, (PdbFacts Pdb, string? Path) was, (PdbFacts Pdb, string? Path) now)
    {
        var (old, own) = (SourcesOf(was.Pdb, was.Path), SourcesOf(now.Pdb, now.Path));
        foreach (var name in old.Keys.Union(own.Keys).Order(StringComparer.Ordinal))
        {
            var (before, after) = (old.GetValueOrDefault(name), own.GetValueOrDefault(name));
            if (before.Hash == after.Hash)
                continue;
            var shown = Text.Sanitize(name);
            findings.Differ("sources", $"{assembly}: {shown}", DescribeSource(before.Hash, after.Hash));
            if (before.Hash is not null && after.Hash is not null && HasOtherLineEnds(after.Path!, before.Hash))
                findings.Explain(
                    CauseKind.LineEnds,
                    $"{assembly} was compiled from {shown} with other line ends (CR LF and LF), as git's core.autocrlf makes them",
                    "Let git check text out in one way on every machine: add '* text=auto eol=lf' to .gitattributes"
                );
            else
                findings.Explain(
                    CauseKind.Source,
                    before.Hash is null ? $"{assembly} was compiled without {shown}, which is here"
                        : after.Hash is null ? $"{assembly} was compiled with {shown}, which is not here"
                        : $"{assembly} was compiled from another version of {shown}",
                    "Check out the commit that it was built of"
                );
        }
    }

    private static string DescribeSource(string? before, string? after) =>
        before is null ? "is only compiled here"
        : after is null ? "is only compiled into the image"
        : "has another SHA-256";

    // By their paths below the project, or by their last folders where they are elsewhere.
    private static Dictionary<string, (string? Path, string? Hash)> SourcesOf(PdbFacts pdb, string? pdbPath)
    {
        var path = pdbPath?.Replace('\\', '/') ?? "";
        var root = path.LastIndexOf("/obj/", StringComparison.Ordinal) is var at and >= 0 ? path[..(at + 1)] : null;
        var sources = new Dictionary<string, (string?, string?)>(StringComparer.Ordinal);
        foreach (var (document, hash) in pdb.Sources)
        {
            var name = document.Replace('\\', '/');
            var key =
                root is not null && name.StartsWith(root, StringComparison.Ordinal)
                    ? name[root.Length..]
                    : string.Join('/', name.Split('/').TakeLast(3));
            if (!key.StartsWith("obj/", StringComparison.Ordinal))
                sources[key] = (document, hash);
        }

        return sources;
    }

    // The source of this build with the line ends of the other kind.
    private bool HasOtherLineEnds(string document, string hash)
    {
        var file =
            plan.Root is { } root && document.StartsWith("/_/", StringComparison.Ordinal) ? Path.Combine(root, document[3..]) : document;
        try
        {
            if (!Path.IsPathFullyQualified(file) || !File.Exists(file) || new FileInfo(file).Length > MaxSource)
                return false;
            var text = File.ReadAllBytes(file);
            return HashOf(text, areWindows: true) == hash || HashOf(text, areWindows: false) == hash;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string HashOf(byte[] text, bool areWindows) =>
        Convert.ToHexStringLower(SHA256.HashData(FileEvidence.WithLineEnds(text, areWindows)));
}
