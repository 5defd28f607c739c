using System.Text.RegularExpressions;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Verbs;

/// <summary>Tags as versions, the lowest first: 1.9 before 1.10, a prerelease before its release, and names such as <c>latest</c> after numbers.</summary>
public sealed partial class TagOrder : IComparer<Tag?>
{
    /// <summary>The one order.</summary>
    public static TagOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(Tag? x, Tag? y) => string.CompareOrdinal(Key(x?.Value ?? ""), Key(y?.Value ?? ""));

    // Numbers are padded so that 1.10 comes after 1.9; '~' puts a release after its prereleases.
    private static string Key(string tag) => Digits().Replace(tag, match => match.Value.PadLeft(20, '0')) + "~";

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
