using ImagePublish.Attachments;
using ImagePublish.Images;
using ImagePublish.Oci;

namespace ImagePublish.Requests;

/// <summary>Everything that decides what an index becomes and where it goes.</summary>
internal sealed record IndexRequest
{
    /// <summary>Images, each with its platform, that are in every destination already.</summary>
    public IReadOnlyList<Descriptor> Images { get; init; } = [];

    /// <summary>Further images, by digest, of any registry: they are copied to the destinations that don't have them.</summary>
    public IReadOnlyList<Reference> From { get; init; } = [];

    /// <summary>Entries of attestations of <see cref="Images"/>, which are in every destination already.</summary>
    public IReadOnlyList<Descriptor> Attestations { get; init; } = [];

    /// <summary>Where attestations of <see cref="From"/> go that are attached to them where they are.</summary>
    public AttestationPlacement Placement { get; init; } = AttestationPlacement.None;

    public IReadOnlyList<KeyValuePair<string, string>> Annotations { get; init; } = [];

    /// <summary>The repositories that the index is pushed to; with none it stays in the local store.</summary>
    public required IReadOnlyList<Repository> Destinations { get; init; }

    public required string LocalName { get; init; }

    /// <summary>Tags that must not be moved: the publish fails if one exists and is another index.</summary>
    public IReadOnlyList<Tag> HeldTags { get; init; } = [];

    /// <summary>The tags whose current images a report compares the joined ones with; the first that exists is taken.</summary>
    public IReadOnlyList<Tag> ComparedTags { get; init; } = [];

    /// <summary>The tags that are known before the index is.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>Further tags, which have a part of the index's digest in them.</summary>
    public IReadOnlyList<ContentTag> ContentTags { get; init; } = [];

    /// <summary>Whether <see cref="ContentTags"/> must not be moved either.</summary>
    public bool HoldsContentTags { get; init; }

    /// <summary>What the index is signed with; null signs nothing.</summary>
    public SigningRequest? Signing { get; init; }

    public IReadOnlyList<Tag> TagsFor(Digest index) => [.. Tags, .. ContentTags.Select(tag => tag.For(index))];

    public IReadOnlyList<Tag> HeldTagsFor(Digest index) =>
        HoldsContentTags ? [.. HeldTags, .. ContentTags.Select(tag => tag.For(index))] : HeldTags;
}
