using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>Everything that decides what an index becomes and where it goes.</summary>
internal sealed record IndexRequest
{
    /// <summary>Images, each with its platform, that are in every destination already.</summary>
    public IReadOnlyList<Descriptor> Images { get; init; } = [];

    /// <summary>Further images, by digest, that may be anywhere: they are copied to where they are missing.</summary>
    public IReadOnlyList<Reference> From { get; init; } = [];

    /// <summary>Annotations of the index.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Annotations { get; init; } = [];

    /// <summary>Where the index goes; with none it stays in the local store.</summary>
    public required IReadOnlyList<Repository> Destinations { get; init; }

    /// <summary>The index's name in the local store.</summary>
    public required string LocalName { get; init; }

    /// <summary>Tags that are refused where they exist and would have to move.</summary>
    public IReadOnlyList<Tag> HeldTags { get; init; } = [];

    /// <summary>Tags whose images the joined ones are compared with by a report: the first that there is.</summary>
    public IReadOnlyList<Tag> ComparedTags { get; init; } = [];

    /// <summary>The tags that are moved once everything else is there.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }
}
