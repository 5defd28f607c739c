using ImagePublish.Oci;

namespace ImagePublish.Deployments;

/// <summary>The image that a publish made, as deployment files are to name it.</summary>
/// <param name="Repositories">What they may call it.</param>
/// <param name="Tags">Its tags, the most specific one first.</param>
internal sealed record DeployedImage(IReadOnlyList<Repository> Repositories, IReadOnlyList<Tag> Tags, Digest Digest)
{
    /// <summary>Whether a text names this image, with its registry, with whatever tag and digest.</summary>
    public bool IsNamedBy(string text) => Reference.TryParse(text, out var reference, out _) && Repositories.Contains(reference.Repository);

    /// <summary>Whether a file could name this image at all.</summary>
    public bool MayBeIn(string text) => Repositories.Any(repository => text.Contains(ShortName(repository), StringComparison.Ordinal));

    /// <summary>The same name with this image's digest. A tag stays if this image has it.</summary>
    public string Rename(string text)
    {
        var name = NameIn(text);
        var tag = TagIn(text);
        return name + (tag is not null && TagFor(tag) is { } kept ? $":{kept}" : "") + $"@{Digest}";
    }

    /// <summary>The tag that stands in the place of another one: that one, if this image has it.</summary>
    public Tag? TagFor(string? old) => Tags.FirstOrDefault(tag => tag.Value == old) ?? (Tags.Count > 0 ? Tags[0] : null);

    private static string NameIn(string text)
    {
        var whole = text.Split('@')[0];
        var colon = whole.LastIndexOf(':');
        return colon > whole.LastIndexOf('/') ? whole[..colon] : whole;
    }

    private static string? TagIn(string text)
    {
        var name = NameIn(text).Length;
        return name < text.Length && text[name] == ':' ? text[(name + 1)..].Split('@')[0] : null;
    }

    private static string ShortName(Repository repository) =>
        repository.Registry == Registry.DockerHub && repository.Name.StartsWith("library/", StringComparison.Ordinal)
            ? repository.Name["library/".Length..]
            : repository.Name;
}
