using System.Text.RegularExpressions;
using ImagePublish.Images;
using NuGet.Versioning;
using SemanticVersion = NuGet.Versioning.SemanticVersion;

namespace ImagePublish.Commands;

/// <summary>Which tags of a repository may be removed.</summary>
/// <remarks>
/// Tags are versions or names. Only versions are counted; a name (<c>latest</c>, <c>1.4</c>, <c>main</c>, <c>pr-12</c>)
/// stays unless the filter asks for it: see <see cref="Select"/>.
/// </remarks>
/// <param name="Keep">How many versions stay: so many of the highest, and so many of the highest releases, so that
/// prereleases never displace a release.</param>
internal sealed partial record TagPruneRules(Glob Filter, int Keep, TimeSpan? MaxAge)
{
    /// <summary>Chooses the tags of a repository that may be removed, before their age is known.</summary>
    /// <remarks>
    /// A name is chosen only where the filter is more than <c>*</c>, and either an age is given or nothing is to be kept. <c>latest</c> and
    /// the short forms of a version that is there (<c>1</c>, <c>1.4</c>, <c>1.4-alpine</c>) follow the releases: they are chosen only by a
    /// filter without wildcards.
    /// </remarks>
    internal IReadOnlySet<string> Select(IReadOnlyCollection<string> tags, Func<string, bool> isMatch, Glob filter)
    {
        var versions = tags.Select(tag => (Tag: tag, Version: TagOrder.VersionOf(tag))).Where(one => one.Version is not null).ToList();
        var matching = versions.Where(one => isMatch(one.Tag)).ToList();
        var highest = Highest(matching.Select(one => one.Version!));
        var highestReleases = Highest(matching.Select(one => one.Version!).Where(version => !version.IsPrerelease));
        var chosen = matching
            .Where(one => !highest.Contains(one.Version!) && !highestReleases.Contains(one.Version!))
            .Select(one => one.Tag)
            .ToHashSet(StringComparer.Ordinal);
        var mayRemoveNames = !filter.IsAll && (MaxAge is not null || Keep == 0);
        if (mayRemoveNames)
        {
            var names = tags.Where(tag => TagOrder.VersionOf(tag) is null && isMatch(tag));
            chosen.UnionWith(names.Where(name => filter.IsLiteral || !IsFloating(name, versions.Select(one => one.Tag))));
        }

        return chosen;
    }

    // 1.4.2 and v1.4.2 are one version.
    private HashSet<SemanticVersion> Highest(IEnumerable<NuGetVersion> versions) =>
        versions
            .Distinct<SemanticVersion>(VersionComparer.VersionRelease)
            .OrderByDescending(version => version, VersionComparer.VersionRelease)
            .Take(Keep)
            .ToHashSet(VersionComparer.VersionRelease);

    private static bool IsFloating(string name, IEnumerable<string> versions)
    {
        if (name == "latest")
            return true;
        var match = ShortVersion().Match(name);
        return match.Success
            && versions.Any(version => version.StartsWith(match.Groups[1].Value + ".", StringComparison.OrdinalIgnoreCase));
    }

    [GeneratedRegex(@"\A([vV]?\d+(?:\.\d+)?)(?:-.*)?\z")]
    private static partial Regex ShortVersion();
}
