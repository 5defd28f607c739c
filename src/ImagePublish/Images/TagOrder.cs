using System.Text.RegularExpressions;
using ImagePublish.Oci;
using NuGet.Versioning;

namespace ImagePublish.Images;

/// <summary>
/// Tags as people read them: versions above names, versions ordered as SemVer says, names by their text with numbers as numbers.
/// </summary>
internal static partial class TagOrder
{
    /// <summary>The version that a tag stands for: <c>1.4.2</c>, <c>v1.4.2</c>, <c>2.0.0-rc.1</c>, and .NET's <c>1.4.2.0</c>.</summary>
    public static NuGetVersion? VersionOf(string? tag) =>
        tag is not null && VersionPattern().IsMatch(tag) && NuGetVersion.TryParse(tag.TrimStart('v', 'V'), out var version)
            ? version
            : null;

    public static IEnumerable<T> Sort<T>(IEnumerable<T> items, Func<T, Tag> tagOf) =>
        items
            .Select(item => (Item: item, Tag: tagOf(item).Value, Version: VersionOf(tagOf(item).Value)))
            .OrderByDescending(one => one.Version, Comparer<NuGetVersion?>.Create(VersionComparer.VersionRelease.Compare))
            .ThenByDescending(one => Padded(one.Tag), StringComparer.Ordinal)
            .Select(one => one.Item);

    // So that pr-10 is above pr-9.
    private static string Padded(string tag) => Digits().Replace(tag, match => match.Value.PadLeft(20, '0'));

    [GeneratedRegex(@"\A[vV]?\d+\.\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.-]+)?\z")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
