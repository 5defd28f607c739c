using System.Text.Json.Serialization;
using ImagePublish.Oci;
using ImagePublish.Packages;

namespace ImagePublish.Publishing.Locking;

/// <summary>A lock file: exactly what an image lies on, for each platform. It names no host that the project does not name itself, and no machine.</summary>
internal sealed record ImageLock
{
    /// <summary>The version of the schema.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The version of the schema that it is written in.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>What each platform's image lies on, by the platform's name, such as <c>linux/amd64</c>.</summary>
    public SortedDictionary<string, PlatformLock> Platforms { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>What one platform's image lies on.</summary>
internal sealed record PlatformLock
{
    /// <summary>The base image; null for <c>scratch</c>.</summary>
    public LockedBase? Base { get; init; }

    /// <summary>The packages that were asked for, by name or pattern, in order; null where none were.</summary>
    public IReadOnlyList<string>? Requested { get; init; }

    /// <summary>The packages that the image gets, by name; null where none were asked for.</summary>
    public IReadOnlyList<PackageDocument>? Packages { get; init; }
}

/// <summary>A base image, exactly.</summary>
/// <param name="Reference">What the project calls it; null for one of this machine, whose place is nobody else's business.</param>
internal sealed record LockedBase(string? Reference, string Digest);

/// <summary>How lock files are written and read.</summary>
[JsonSerializable(typeof(ImageLock))]
internal sealed partial class ImageLockJsonContext : JsonSerializerContext
{
    /// <summary>The one way.</summary>
    public static ImageLockJsonContext Written { get; } = new(ReadableJson.NewOptions());
}
