using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>Collects what is found.</summary>
internal sealed partial class MigrationFindings
{
    private const int MaxSource = 60;

    // Longer ones are cut anyway.
    private const int MaxRead = 500;

    private readonly List<MigrationFinding> all = [];

    /// <summary>In the order of the Dockerfile.</summary>
    public IReadOnlyList<MigrationFinding> All => [.. all.OrderBy(finding => finding.Line == 0 ? int.MaxValue : finding.Line)];

    public void Set(StageStep step, string note, params IReadOnlyList<MigrationEntry> entries) =>
        Add(step.Instruction, MigrationState.Set, note, entries);

    public void Default(StageStep step, string note) => Add(step.Instruction, MigrationState.Default, note, []);

    public void NotNeeded(StageStep step, string note) => Add(step.Instruction, MigrationState.NotNeeded, note, []);

    public void Check(StageStep step, string note, params IReadOnlyList<MigrationEntry> entries) =>
        Add(step.Instruction, MigrationState.Check, note, entries);

    public void ByHand(StageStep step, string note) => Add(step.Instruction, MigrationState.ByHand, note, []);

    public void Add(DockerfileInstruction instruction, MigrationState state, string note, IReadOnlyList<MigrationEntry> entries) =>
        Add(instruction.ToString(), instruction.Line, state, note, entries);

    public void Add(string source, int line, MigrationState state, string note, IReadOnlyList<MigrationEntry> entries) =>
        all.Add(new MigrationFinding(Shown(source), line, state, note) { Entries = entries });

    /// <summary>A source in a table: one line, no password.</summary>
    public static string Shown(string source)
    {
        var start = source.Length > MaxRead ? source[..MaxRead] : source;
        return Text.Shortened(PublicUrl.InText(Secret().Replace(start, "$1…")), MaxSource);
    }

    /// <summary>Whether a value is one that no image should have.</summary>
    public static bool IsSecret(string name, string value) =>
        value.Length > 0 && DockerfileText.IsKnown(value) && (SecretName().IsMatch(name) || Secret().IsMatch(value));

    [GeneratedRegex(
        "(?i)((?:password|passwd|pwd|secret|token|api_?key|access_?key|account_?key|private_?key)"
            + """(?:["']?\s*[=:]\s*|\s+)["']?)[^\s"';&|,]+"""
    )]
    private static partial Regex Secret();

    [GeneratedRegex("(?i)(password|passwd|pwd|secret|token|api_?key|access_?key|account_?key|private_?key)$")]
    private static partial Regex SecretName();
}
