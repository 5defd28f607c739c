using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Publishing.Locking;

namespace ImagePublish.Publishing;

/// <summary>Everything that decides what an image for one platform becomes and where it goes.</summary>
internal sealed record PublishRequest
{
    /// <summary>What the image says. Its labels are those of the user; generated ones come from <see cref="Project"/>.</summary>
    public required ImageSpec Spec { get; init; }

    /// <summary>What the project says of itself, for labels; null makes none.</summary>
    public ProjectInfo? Project { get; init; }

    /// <summary>What the image is built on.</summary>
    public required BaseSource Base { get; init; }

    /// <summary>Operating system packages that lie below the app; null for none.</summary>
    public PackageRequest? Packages { get; init; }

    /// <summary>The lock file that base and packages are held to; null for none.</summary>
    public LockRequest? Lock { get; init; }

    /// <summary>What the doctor is told of the app; null sends it home.</summary>
    public DependencyCheckRequest? Doctor { get; init; }

    /// <summary>The full path of the folder that ships.</summary>
    public required string PublishFolder { get; init; }

    /// <summary>What the build says of the files in it.</summary>
    public required IReadOnlyCollection<PublishItem> Items { get; init; }

    /// <summary>Where the files go in the image, and whose they are.</summary>
    public required LayerEntryDefaults EntryDefaults { get; init; }

    /// <summary>Whose the files are where that is a name of the base's; null takes the numbers of <see cref="EntryDefaults"/>.</summary>
    public FileOwner? FileOwner { get; init; }

    /// <summary>Files, directories and links that the user adds.</summary>
    public IReadOnlyList<AddedEntry> Added { get; init; } = [];

    /// <summary>How the files are spread over layers.</summary>
    public LayeringMode Layering { get; init; }

    /// <summary>How layers are compressed.</summary>
    public required LayerCompression Compression { get; init; }

    /// <summary>Where the image goes; with none it stays in the local store.</summary>
    public required IReadOnlyList<Repository> Destinations { get; init; }

    /// <summary>The image's name in the local store.</summary>
    public required string LocalName { get; init; }

    /// <summary>The tags that are moved once everything else is there.</summary>
    public required IReadOnlyList<Tag> Tags { get; init; }

    /// <summary>Tags that are refused where they exist and would have to move; those of the index for an image that is a part of one.</summary>
    public IReadOnlyList<Tag> HeldTags { get; init; } = [];

    /// <summary>The tags whose image now a plan compares with, the likeliest first: those that are moved, or those of the index for an image that is a part of one.</summary>
    public IReadOnlyList<Tag> ComparedTags { get; init; } = [];

    /// <summary>Images whose layers may be reused; with none, the tags and <c>latest</c> of the destinations. Null reuses no image's layers.</summary>
    public IReadOnlyList<Reference>? CacheFrom { get; init; } = [];

    /// <summary>Which of those images are believed.</summary>
    public CacheTrust CacheTrust { get; init; } = CacheTrust.None;
}
