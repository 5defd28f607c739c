using System.Globalization;

namespace ImagePublish.Reproducing;

/// <summary>What a comparison finds: differences as they are, and what explains them.</summary>
internal sealed class Findings
{
    private const int MaxDifferences = 200;

    private readonly List<Cause> causes = [];
    private readonly List<Difference> differences = [];
    private int omitted;

    public int Count => causes.Count;

    public bool HasCauses => causes.Count > 0;

    public bool Has(params ReadOnlySpan<CauseKind> kinds)
    {
        foreach (var kind in kinds)
        {
            if (causes.Exists(cause => cause.Kind == kind))
                return true;
        }

        return false;
    }

    public void Explain(CauseKind kind, string text, string advice) => causes.Add(new Cause(kind, text, advice));

    public void Differ(string place, string? name, string text)
    {
        if (differences.Count < MaxDifferences)
            differences.Add(new Difference(place, name, text));
        else
            omitted++;
    }

    /// <summary>The causes, one of each kind, the likeliest first.</summary>
    public IReadOnlyList<Cause> Causes =>
        [
            .. causes
                .GroupBy(cause => cause.Kind)
                .OrderBy(group => group.Key)
                .Select(group => (First: group.First(), Others: group.DistinctBy(cause => cause.Text).Count() - 1))
                .Select(group =>
                    // A commit and a version are named in several places.
                    group.Others == 0
                    || group.First.Kind is CauseKind.Commit or CauseKind.Version
                        ? group.First
                        : group.First with
                        {
                            Text = $"{group.First.Text} {AndMore(group.Others)}",
                        }
                ),
        ];

    public IReadOnlyList<Difference> Differences =>
        omitted == 0
            ? differences
            :
            [
                .. differences,
                new Difference("…", null, string.Create(CultureInfo.InvariantCulture, $"{omitted} more differences are not shown")),
            ];

    private static string AndMore(int others) => string.Create(CultureInfo.InvariantCulture, $"(and {others} more of the kind)");
}
