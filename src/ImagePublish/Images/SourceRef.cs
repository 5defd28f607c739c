using System.Globalization;

namespace ImagePublish.Images;

/// <summary>What kind of name a build was started for.</summary>
internal enum SourceRefKind
{
    Branch,

    Tag,

    PullRequest,
}

/// <summary>The branch, tag or pull request that is built.</summary>
internal sealed record SourceRef(SourceRefKind Kind, string Name)
{
    /// <summary>Reads a full reference of git, as CI systems pass it.</summary>
    /// <param name="text"><c>refs/heads/main</c>, <c>refs/tags/v1.2</c>, <c>refs/pull/12/merge</c>, <c>refs/merge-requests/12/head</c>; a
    /// bare name is a branch.</param>
    public static SourceRef? TryParse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var parts = text.Split('/');
        return parts switch
        {
            ["refs", "heads", _, ..] => new SourceRef(SourceRefKind.Branch, string.Join('/', parts[2..])),
            ["refs", "tags", _, ..] => new SourceRef(SourceRefKind.Tag, string.Join('/', parts[2..])),
            ["refs", "pull" or "pull-requests" or "merge-requests", var number, ..] when IsNumber(number) => new SourceRef(
                SourceRefKind.PullRequest,
                number
            ),
            ["pull" or "pull-requests" or "merge-requests", var number, "merge" or "head" or "from"] when IsNumber(number) => new SourceRef(
                SourceRefKind.PullRequest,
                number
            ),
            ["refs", ..] => null,
            _ => new SourceRef(SourceRefKind.Branch, text),
        };
    }

    /// <summary>
    /// Reads the names that git decorates the commit with: the branch that HEAD is on, else a tag, pull request or branch of a detached
    /// HEAD.
    /// </summary>
    public static SourceRef? OfDecoration(string? decoration, params ReadOnlySpan<string> remotes)
    {
        const string Head = "HEAD -> ";
        const string Tag = "tag: ";
        var names = decoration?.Split(", ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        if (Array.Find(names, name => name.StartsWith(Head, StringComparison.Ordinal)) is { } head)
            return new SourceRef(SourceRefKind.Branch, head[Head.Length..]);
        if (Array.Find(names, name => name.StartsWith(Tag, StringComparison.Ordinal)) is { } tag)
            return new SourceRef(SourceRefKind.Tag, tag[Tag.Length..]);
        var known = remotes.ToArray();
        var others = names
            .Where(name => name is not ("HEAD" or "grafted") && !name.EndsWith("/HEAD", StringComparison.Ordinal))
            .Select(name => WithoutRemote(name, known))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        return others.Select(TryParse).FirstOrDefault(found => found?.Kind == SourceRefKind.PullRequest)
            ?? (others is [var only] ? TryParse(only) : null);
    }

    public override string ToString() => Kind == SourceRefKind.PullRequest ? $"pr-{Name}" : Name;

    private static string WithoutRemote(string name, string[] remotes) =>
        Array.Find(remotes, remote => name.StartsWith(remote + "/", StringComparison.Ordinal)) is { } found
            ? name[(found.Length + 1)..]
            : name;

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
