using ImagePublish.Common;

namespace ImagePublish.Images;

/// <summary>A project's metadata, for labels and annotations. What is null or empty makes none.</summary>
internal sealed record ProjectInfo
{
    public string? Title { get; init; }

    public string? Description { get; init; }

    public string? Authors { get; init; }

    public string? Vendor { get; init; }

    public string? Licenses { get; init; }

    public string? Version { get; init; }

    public string? Url { get; init; }

    public string? Documentation { get; init; }

    public string? Source { get; init; }

    public string? Revision { get; init; }

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
    public const string BaseDigest = Prefix + "base.digest";

    public const string BaseName = Prefix + "base.name";

    private const string Prefix = "org.opencontainers.image.";

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
