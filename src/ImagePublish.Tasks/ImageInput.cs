using ImagePublish.Common;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What an item of inputs says besides its path.</summary>
internal static class ImageInput
{
    /// <summary>Why it is not known what a project is built from.</summary>
    public const string Problem = "Problem";

    /// <summary>What a project may be built from without naming it.</summary>
    public const string Doubt = "Doubt";

    /// <summary>Why an assembly of the image names HEAD, whatever it is built from.</summary>
    public const string NamesHead = "NamesHead";

    /// <summary>A path that is not committed.</summary>
    public const string Changed = "Changed";

    public static ITaskItem Create(string path, string name, string value)
    {
        var item = OutputItem.Create(path);
        item.SetText(name, value);
        return item;
    }

    /// <summary>What some of the inputs say.</summary>
    public static IEnumerable<string> Values(IEnumerable<ITaskItem> inputs, string metadata) =>
        inputs.Select(input => input.GetMetadata(metadata)).Where(value => value.Length > 0).Distinct(StringComparer.Ordinal);

    /// <summary>Why it is not known what changed: a project could not tell what it is built from, or some of it is not in the app's
    /// checkout. Null where it is known, and there is a checkout.</summary>
    public static string? FindProblem(IReadOnlyCollection<ITaskItem> inputs, GitHistory? history)
    {
        if (Values(inputs, Problem).FirstOrDefault() is { } problem)
            return problem;
        if (history is null)
            return "its checkout is gone.";
        var outside = inputs.FirstOrDefault(input => history.Relativize(input.ItemSpec) is null);
        return outside is null ? null : $"'{Text.Sanitize(outside.ItemSpec)}' is not in the checkout '{Text.Sanitize(history.Root)}'.";
    }

    /// <summary>The first of some paths, and how many more there are.</summary>
    public static string Summarize(IReadOnlyList<string> paths) =>
        paths.Count == 1 ? paths[0] : FormattableString.Invariant($"{paths[0]} and {paths.Count - 1} more");

    /// <summary>Their paths in a checkout.</summary>
    public static IReadOnlyCollection<string> Paths(IEnumerable<ITaskItem> inputs, GitHistory history) =>
        [.. inputs.Select(input => history.Relativize(input.ItemSpec)).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>Whether a path of a checkout is one of these, in one of them, or a file that a pattern stands for.</summary>
    public static bool Covers(IEnumerable<string> paths, string changed) =>
        paths.Any(path =>
            path.Length == 0
            || changed == path
            || changed.StartsWith(path + '/', StringComparison.Ordinal)
            || (path.StartsWith("**/*", StringComparison.Ordinal) && changed.EndsWith(path[4..], StringComparison.Ordinal))
        );
}
