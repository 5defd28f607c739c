using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Packages.Model;
using ImagePublish.Policies;
using ImagePublish.Sboms;
using ImagePublish.Trust;

namespace ImagePublish.Requests;

/// <summary>Everything that decides what an image for one platform becomes and where it goes.</summary>
internal sealed record PublishRequest
{
    /// <summary>The image's config. The labels are those of the user; generated ones come from <see cref="Project"/>.</summary>
    public required ImageSpec Spec { get; init; }

    /// <summary>The project, for generated labels; null generates none.</summary>
    public ProjectInfo? Project { get; init; }

    public required ImageSource Base { get; init; }

    /// <summary>Who must have signed the base; null if that does not matter.</summary>
    public TrustPolicy? BaseTrust { get; init; }

    /// <summary>Operating system packages, in a layer below the app; null for none.</summary>
    public PackageRequest? Packages { get; init; }

    /// <summary>The lock file that pins base and packages; null for none.</summary>
    public LockRequest? Lock { get; init; }

    /// <summary>The app, for the check of its dependencies; null disables the check.</summary>
    public DependencyCheckRequest? DependencyCheck { get; init; }

    /// <summary>What the image must be like, and what must not be in it; null checks nothing.</summary>
    public PolicyRequest? Policy { get; init; }

    /// <summary>The bill of materials; null for none.</summary>
    public SbomRequest? Sbom { get; init; }

    public required string PublishFolder { get; init; }

    /// <summary>The origin of each file in the publish folder, as far as the build knows it.</summary>
    public required IReadOnlyCollection<PublishItem> Items { get; init; }

    /// <summary>What of the publish folder is in the image.</summary>
    public FileSelection Selection { get; init; } = new();

    public required LayerEntryDefaults EntryDefaults { get; init; }

    /// <summary>The owner of the files as a name of the base image; null takes the numbers of <see cref="EntryDefaults"/>.</summary>
    public FileOwner? FileOwner { get; init; }

    public IReadOnlyList<AddedEntry> Added { get; init; } = [];

    /// <summary>Files and layers of other images.</summary>
    public OtherImages OtherImages { get; init; } = OtherImages.None;

    public LayeringMode Layering { get; init; }

    public required LayerCompression Compression { get; init; }

    /// <summary>The repositories that the image is pushed to; with none it stays in the local store.</summary>
    public required IReadOnlyList<Repository> Destinations { get; init; }

    public required string LocalName { get; init; }

    /// <summary>The tags that are known before the image is.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>Further tags, which have a part of the image's digest in them.</summary>
    public IReadOnlyList<ContentTag> ContentTags { get; init; } = [];

    /// <summary>Whether <see cref="ContentTags"/> must not be moved either.</summary>
    public bool HoldsContentTags { get; init; }

    /// <summary>
    /// Tags that must not be moved: the publish fails if one exists and is another image. For an image that is part of an index, those of
    /// the index.
    /// </summary>
    public IReadOnlyList<Tag> HeldTags { get; init; } = [];

    /// <summary>
    /// The tags whose current image a plan or report compares with; the first that exists is taken. For an image that is part of an index,
    /// those of the index.
    /// </summary>
    public IReadOnlyList<Tag> ComparedTags { get; init; } = [];

    /// <summary>
    /// Images whose layers may be reused; with none, the tags and <c>latest</c> of the destinations. Null reuses no image's layers.
    /// </summary>
    public IReadOnlyList<Reference>? CacheFrom { get; init; } = [];

    public CacheTrust CacheTrust { get; init; } = CacheTrust.None;

    /// <summary>What is attested of the image; null attests nothing.</summary>
    public AttestationRequest? Attestations { get; init; }

    /// <summary>What the image is signed with; null signs nothing, as for an image that is part of an index.</summary>
    public SigningRequest? Signing { get; init; }

    public IReadOnlyList<Tag> TagsFor(Digest image) =>
        ContentTags.Count == 0 ? Tags : [.. Tags, .. ContentTags.Select(tag => tag.For(image))];
}

/// <summary>The lock file of a project.</summary>
internal sealed record LockRequest(string File)
{
    /// <summary>Whether a lock file that does not fit the project is an error, rather than renewed.</summary>
    public bool IsLocked { get; init; }

    /// <summary>The user's folder of file locks: processes that write the same lock file wait for each other.</summary>
    public required string LockFolder { get; init; }

    /// <summary>What is taken from other images in all variants of the project's image; null where only the request's counts.</summary>
    public OtherImages? OtherImages { get; init; }

    /// <summary>All platforms of the project: entries of other platforms are removed. Empty keeps them.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];
}
