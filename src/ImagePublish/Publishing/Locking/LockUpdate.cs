using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Locking;

/// <summary>What became of a lock file.</summary>
internal sealed record LockUpdate(Platform Platform, PlatformLock Current, PlatformLock? Former)
{
    private const int MaxShown = 5;

    /// <summary>Whether the file had to change.</summary>
    public bool IsChanged { get; init; }

    /// <summary>What is new, in a few words.</summary>
    public string Summary
    {
        get
        {
            var packages = $"{Current.Packages?.Count ?? 0} packages";
            if (Former is null)
                return Current.Base is null ? packages : $"{packages}, base {Current.Base.Digest}";
            var changes = Changes(Former).ToList();
            if (changes.Count == 0)
                return $"{packages}, nothing new";
            return $"{packages}; {Text.OneLine(string.Join(", ", changes.Take(MaxShown)))}{(changes.Count > MaxShown ? $" and {changes.Count - MaxShown} more" : "")}";
        }
    }

    private IEnumerable<string> Changes(PlatformLock former)
    {
        if (Current.Base is not null && Current.Base != former.Base)
            yield return $"base {Current.Base.Digest}";
        var before = (former.Packages ?? []).ToDictionary(package => package.Name, package => package.Version);
        foreach (var package in Current.Packages ?? [])
        {
            if (!before.Remove(package.Name, out var version))
                yield return $"{package.Name} {package.Version} is new";
            else if (version != package.Version)
                yield return $"{package.Name} {version} → {package.Version}";
        }

        foreach (var gone in before.Keys)
            yield return $"{gone} is gone";
    }
}
