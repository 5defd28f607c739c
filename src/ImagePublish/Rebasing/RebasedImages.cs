using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;
using ImagePublish.Requests;
using ImagePublish.Trust;

namespace ImagePublish.Rebasing;

/// <summary>An image to put on another base, where it is.</summary>
internal sealed record RebaseRequest(Reference Image)
{
    /// <summary>The base to put below it; null for what the name of its base points at now.</summary>
    public Reference? NewBase { get; init; }

    /// <summary>Who must have signed the new base; null if that does not matter.</summary>
    public TrustPolicy? Trust { get; init; }

    /// <summary>Where bases are read from, in place of where they are named.</summary>
    public Func<RegistryImage, RegistryImage> Mirror { get; init; } = image => image;

    /// <summary>The tags that move; empty for the one that the image is named by. One that is named by its digest has none.</summary>
    public IReadOnlyList<Tag> Tags { get; init; } = [];

    /// <summary>Further tags of the same publish, which move where they point at the image, too.</summary>
    public IReadOnlyList<Tag> Companions { get; init; } = [];

    /// <summary>Whether a tag may not move that is there already.</summary>
    public bool HoldsTags { get; init; }

    public bool DryRun { get; init; }

    /// <summary>What the new image is signed with; null signs nothing.</summary>
    public SigningRequest? Signing { get; init; }

    /// <summary>Who rebases, for the provenance of an image that had some; null makes none.</summary>
    public RebaseFacts? Facts { get; init; }
}

/// <summary>What a build that rebases knows of itself. Nothing in it is secret: it is published.</summary>
internal sealed record RebaseFacts(string ToolVersion, string? BuilderId, string? Invocation, string? StartedOn);

/// <summary>An image that is on another base now, or was on it already.</summary>
internal sealed record RebaseResult(Reference Image, Descriptor Before, Descriptor After, IReadOnlyList<RebasedPlatform> Platforms)
{
    public bool IsUnchanged => Before.Digest == After.Digest;

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    public TransferTotals Transfer { get; init; }

    /// <summary>What is attached to the old image, and is not true of the new one.</summary>
    public IReadOnlyList<string> LeftBehind { get; init; } = [];

    /// <summary>What was attached to the new one.</summary>
    public IReadOnlyList<string> Renewed { get; init; } = [];
}

/// <summary>One platform of it.</summary>
internal sealed record RebasedPlatform(Platform Platform, Image Before, Image After, RebasedBase Base)
{
    public IReadOnlyList<ConfigChange> Changes => ConfigComparer.Compare(Before.Config, After.Config);
}

/// <summary>The two bases.</summary>
internal sealed record RebasedBase(BaseImage Old, BaseImage New, string? OldRuntime, string? NewRuntime);

/// <summary>What became of one image of many.</summary>
internal sealed record RebaseOutcome(Reference Image, RebaseResult? Result, Diagnostics.ImagePublishException? Refused);
