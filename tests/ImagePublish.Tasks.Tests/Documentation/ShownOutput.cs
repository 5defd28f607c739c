using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>
/// Compares what commands print with what a page shows. Digests, sizes and times are others on every machine and every day, but a digest
/// that a page shows twice must be the same one both times.
/// Docker may have layers already that another test loaded. A line <c>…</c> stands for any lines, <c>…</c> within a line for anything.
/// </summary>
public sealed partial class ShownOutput
{
    // Enough of a digest to know it again, as tables show it.
    private const int ShortDigest = 12;

    private readonly Dictionary<string, string> digests = [];

    /// <summary>
    /// Demands that <paramref name="printed"/> ends with exactly what the page shows, apart from what a build says anyway.
    /// </summary>
    public void Check(string shown, string printed)
    {
        var lines = printed
            .ReplaceLineEndings("\n")
            .Split('\n')
            .Select(line => line.TrimEnd())
            .Where(line => line.Length > 0 && !Chatter().IsMatch(line));
        var actual = string.Join('\n', lines.Prepend("")) + "\n";
        var match = Regex.Match(actual, Pattern(shown), RegexOptions.None, TimeSpan.FromSeconds(10));
        Assert.True(match.Success, $"The page shows:\n{shown}\nThe command prints:\n{actual}\nwhich is not\n{Pattern(shown)}");
        foreach (Group group in match.Groups)
        {
            if (group.Name[0] == 'd')
                digests.Add(group.Name[1..], group.Value[..ShortDigest]);
        }
    }

    private string Pattern(string shown)
    {
        var pattern = new StringBuilder("\\n");
        var named = new HashSet<string>();
        foreach (var line in shown.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
        {
            if (line.Trim() == "…")
                pattern.Append(@"(?:.*\n)*?");
            else
                pattern.Append(Varying().Replace(Regex.Escape(line), part => Part(part, named))).Append(@"\n");
        }

        return pattern.Append('$').ToString();
    }

    private string Part(Match part, HashSet<string> named)
    {
        if (part.Groups["digest"] is { Success: true, Value: var digest })
            return "sha256:" + Digest(digest, named);
        return part.Groups["sent"].Success ? @"[\d.]+ [kMGT]?B sent(?:, [\d.]+ [kMGT]?B already there)?"
            : part.Groups["size"].Success ? @"[\d.]+ [kMGT]?B"
            : part.Groups["time"].Success ? @"[\d.]+ (?:ms|s|min)"
            : part.Groups["date"].Success ? @"\d{4}-\d\d-\d\d \d\d:\d\d"
            : part.Groups["space"].Success ? " +"
            : ".*";
    }

    private string Digest(string shown, HashSet<string> named)
    {
        if (shown.Length < ShortDigest)
            return digests.FirstOrDefault(known => known.Key.StartsWith(shown, StringComparison.Ordinal)).Value is { } abbreviated
                ? abbreviated
                : "[0-9a-f]+";
        var name = shown[..ShortDigest];
        var rest = $"[0-9a-f]{{{shown.Length - ShortDigest}}}";
        return digests.TryGetValue(name, out var known) ? known + rest
            : named.Add(name) ? $"(?<d{name}>[0-9a-f]{{{ShortDigest}}}){rest}"
            : $@"\k<d{name}>{rest}";
    }

    // What restore and the compiler say, and how far a publish is.
    [GeneratedRegex(
        @"^  Determining projects|^  All projects are up-to-date|^  Restored |^  \S+ -> \S+(\.dll|/)$|^ *\S+: (\d|layer ')|^Build "
            + @"succeeded\.$|^    0 (Warning|Error)\(s\)$|^Time Elapsed "
    )]
    private static partial Regex Chatter();

    [GeneratedRegex(
        @"sha256:(?<digest>[0-9a-f]+)|(?<date>\d{4}-\d\d-\d\d\\ \d\d:\d\d)|(?<sent>\d+(\\\.\d+)?\\ [kMGT]?B\\ "
            + @"sent)|(?<size>\d+(\\\.\d+)?\\ [kMGT]?B\b)|(?<time>\d+(\\\.\d+)?\\ (ms|s|min)\b)|(?<space>(\\ )+)|(?<any>…)"
    )]
    private static partial Regex Varying();
}
