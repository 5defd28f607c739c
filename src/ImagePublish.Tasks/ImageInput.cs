using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What an item of inputs says besides its path.</summary>
internal static class ImageInput
{
    /// <summary>Why it is not known what a project is built from.</summary>
    public const string Problem = "Problem";

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
