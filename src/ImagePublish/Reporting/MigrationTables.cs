using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Dockerfiles;
using ImagePublish.Migration;

namespace ImagePublish.Reporting;

/// <summary>What becomes of a Dockerfile and of container settings, for people: a table, a sentence, and what to paste.</summary>
internal static class MigrationTables
{
    private const int MaxValue = 40;

    public static IEnumerable<string> Of(IReadOnlyList<MigrationFinding> findings, string project)
    {
        var table = new TextTable(">LINE", "NOW", "RESULT", "HERE");
        foreach (var finding in findings)
            table.Add(Line(finding), finding.Source, Word(finding.State), Here(finding));
        var snippet = MigrationSnippet.Lines(findings.SelectMany(finding => finding.Entries)).ToList();
        return
        [
            .. table.Lines(),
            "",
            Summarize(findings),
            "",
            snippet.Count == 0 ? $"Nothing has to be set in {project}." : $"For {project}:",
            "",
            .. snippet,
        ];
    }

    public static string Word(MigrationState state) =>
        state switch
        {
            MigrationState.Set => "set",
            MigrationState.Default => "default",
            MigrationState.NotNeeded => "not needed",
            MigrationState.Check => "check",
            _ => "by hand",
        };

    private static string Line(MigrationFinding finding) => finding.Line == 0 ? "" : finding.Line.ToString(CultureInfo.InvariantCulture);

    private static string Here(MigrationFinding finding)
    {
        var said = string.Join(", ", finding.Entries.GroupBy(entry => entry.Name).Select(Said));
        return finding.Note.Length == 0 ? said
            : said.Length == 0 ? finding.Note
            : $"{said}: {finding.Note}";
    }

    private static string Said(IGrouping<string, MigrationEntry> entries) =>
        entries.Count() == 1
            ? $"{entries.Key} {Text.Shortened(DockerfileText.Replace(entries.First().Value, name => $"$({name})"), MaxValue)}"
            : string.Create(CultureInfo.InvariantCulture, $"{entries.Count()} {entries.Key}");

    private static string Summarize(IReadOnlyList<MigrationFinding> findings)
    {
        var parts = findings
            .GroupBy(finding => finding.State)
            .OrderBy(group => group.Key)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {Word(group.Key)}"));
        return $"{string.Join(", ", parts)}.";
    }
}
