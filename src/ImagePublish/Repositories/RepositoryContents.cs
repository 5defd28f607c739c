using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Rebasing;

namespace ImagePublish.Repositories;

/// <summary>What to read of a repository.</summary>
/// <param name="Limit">The most tags; 0 for all.</param>
internal sealed record RepositoryQuery(Glob Filter, int Limit)
{
    /// <summary>The mirror of a base; null where bases are not compared with what their names point at now.</summary>
    public Func<Bases.RegistryImage, Bases.RegistryImage>? Drift { get; init; }

    /// <summary>Of how many images, the newest, the layers are read.</summary>
    public int Files { get; init; }
}

/// <summary>A repository as it was read.</summary>
/// <param name="Repository">Where it is; null for the local store.</param>
/// <param name="TagCount">How many tags match, read or not.</param>
/// <param name="Images">Each once, however many tags it has; the newest first.</param>
internal sealed record RepositoryContents(string Name, Repository? Repository, int TagCount, IReadOnlyList<RepositoryImage> Images)
{
    public Glob Filter { get; init; } = Glob.All;

    /// <summary>Tags that were listed, and gone when they were read.</summary>
    public IReadOnlyList<Tag> Gone { get; init; } = [];

    /// <summary>Tags that point at something that can't be read, and why.</summary>
    public IReadOnlyList<(Tag Tag, string Reason)> Unread { get; init; } = [];

    /// <summary>The files of the layers that were read; null where none were asked for.</summary>
    public RepositoryFiles? Files { get; init; }

    public int TagsRead => Images.Sum(image => image.Tags.Count) + Gone.Count + Unread.Count;
}

/// <summary>Something that tags of a repository point at.</summary>
internal sealed record RepositoryImage(InspectedImage Image, IReadOnlyList<Tag> Tags)
{
    public Digest Digest => Image.Root.Digest;

    /// <summary>When it was made; null where it does not say, or says a constant that stands for no time.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>What is attached; null where nobody looked, or could.</summary>
    public IReadOnlyList<AttachmentInfo>? Attachments { get; init; }

    /// <summary>What the list of tags and the image itself say is attached, without another request.</summary>
    public IReadOnlyList<string> Signs { get; init; } = [];

    public ImageDrift? Drift { get; init; }
}
