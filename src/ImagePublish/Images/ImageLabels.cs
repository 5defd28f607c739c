using ImagePublish.Common;

namespace ImagePublish.Images;

/// <summary>A project's metadata, for labels and annotations. What is null or empty makes none.</summary>
internal sealed record ProjectInfo
{
    /// <summary>A name for people.</summary>
    public string? Title { get; init; }

    /// <summary>What it is.</summary>
    public string? Description { get; init; }

    /// <summary>Who made it.</summary>
    public string? Authors { get; init; }

    /// <summary>Whose it is.</summary>
    public string? Vendor { get; init; }

    /// <summary>Its licence, an SPDX expression.</summary>
    public string? Licenses { get; init; }

    /// <summary>Its version.</summary>
    public string? Version { get; init; }

    /// <summary>Where to read more.</summary>
    public string? Url { get; init; }

    /// <summary>Where its documentation is.</summary>
    public string? Documentation { get; init; }

    /// <summary>Where its source is.</summary>
    public string? Source { get; init; }

    /// <summary>The commit that is built.</summary>
    public string? Revision { get; init; }

    /// <summary>The version of .NET that it targets.</summary>
    public string? FrameworkVersion { get; init; }

    /// <summary>Labels that are not wanted, by the last part of their names: <c>created</c>, <c>base.name</c>, …</summary>
    public IReadOnlyCollection<string> Omitted { get; init; } = [];
}

/// <summary>The labels of an image's origin.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys">image-spec, Pre-Defined
/// Annotation Keys</see>.
/// </remarks>
internal static class ImageLabels
{
    /// <summary>The label with the digest of the base image.</summary>
    public const string BaseDigest = Prefix + "base.digest";

    /// <summary>The label with the name of the base image.</summary>
    public const string BaseName = Prefix + "base.name";

    private const string Prefix = "org.opencontainers.image.";

    /// <summary>The labels of an image.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Generate(ProjectInfo project, BaseImage? baseImage, DateTimeOffset created)
    {
        (string Name, string? Value)[] labels =
        [
            (Prefix + "created", Text.Rfc3339(created)),
            (Prefix + "title", project.Title),
            (Prefix + "description", project.Description),
            (Prefix + "authors", project.Authors),
            (Prefix + "vendor", project.Vendor),
            (Prefix + "licenses", project.Licenses),
            (Prefix + "version", project.Version),
            (Prefix + "url", project.Url),
            (Prefix + "documentation", project.Documentation),
            (Prefix + "source", project.Source),
            (Prefix + "revision", project.Revision),
            (BaseName, baseImage?.Digest is null ? null : baseImage.Name),
            (BaseDigest, baseImage?.Digest?.Value),
            ("net.dot.runtime.majorminor", project.FrameworkVersion),
        ];
        return
        [
            .. labels
                .Where(label =>
                    !string.IsNullOrEmpty(label.Value) && !project.Omitted.Any(name => label.Name == Prefix + name || label.Name == name)
                )
                .Select(label => KeyValuePair.Create(label.Name, label.Value!)),
        ];
    }
}
