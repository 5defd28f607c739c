using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Rebasing;

internal enum DriftState
{
    /// <summary>The name of the base still points at what the image was made of.</summary>
    Current,

    /// <summary>It points at another image now.</summary>
    Behind,

    /// <summary>The image does not say what it is based on, or something could not be read.</summary>
    Unknown,
}

/// <summary>How an image's base and what the base's name points at now differ.</summary>
internal sealed record ImageDrift(Reference Image, DriftState State)
{
    public Digest? Digest { get; init; }

    public NamedBase? Base { get; init; }

    /// <summary>What the base's name points at now.</summary>
    public Digest? CurrentDigest { get; init; }

    public string? Runtime { get; init; }

    public string? CurrentRuntime { get; init; }

    /// <summary>When the current base was made, RFC 3339, as it says.</summary>
    public string? CurrentCreated { get; init; }

    /// <summary>Packages of the operating system that differ; null where one of the lists is not on this machine.</summary>
    public IReadOnlyList<PackageChange>? Packages { get; init; }

    /// <summary>The first day on which what the base's name points at gets no more fixes; null where its registry does not say.</summary>
    public DateOnly? EndOfLife { get; init; }

    /// <summary>The same of what the image was made of: most often the day that its successor came.</summary>
    public DateOnly? Superseded { get; init; }

    /// <summary>Why it is not known.</summary>
    public ImagePublishException? Failure { get; init; }
}

/// <summary>A package of two bases; null where one does not have it.</summary>
internal sealed record PackageChange(string Name, string? Version, string? CurrentVersion);
