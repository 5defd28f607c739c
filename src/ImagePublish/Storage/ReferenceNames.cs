using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>How an image layout names its images: annotations of the entries in its <c>index.json</c>.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md">image-spec, Annotations</see>. skopeo, podman and
/// oras find <c>oci:folder:name</c> by them.
/// </remarks>
internal static class ReferenceNames
{
    public const string Annotation = "org.opencontainers.image.ref.name";

    /// <summary>Our mark on an index of which the store need not have every platform, such as a base's.</summary>
    public const string SomePlatformsAnnotation = "io.imagepublish.platforms";

    private const string Some = "some";

    /// <summary>The name of an entry, or null if it has none.</summary>
    public static string? Read(Descriptor entry) => entry.Annotations?.GetValueOrDefault(Annotation);

    /// <summary>Whether an entry is meant: by its whole name, or as <c>name@digest</c>.</summary>
    public static bool IsMeant(Descriptor entry, string name)
    {
        if (Read(entry) is not { } own)
            return false;
        var at = name.LastIndexOf('@');
        return own == name
            || (
                at > 0
                && name[(at + 1)..] == entry.Digest.Value
                && (own.StartsWith(name[..at] + ":", StringComparison.Ordinal) || own == name[..at])
            );
    }

    /// <summary>Whether the entry is an index of which only some platforms need be there.</summary>
    public static bool HasSomePlatforms(Descriptor entry) => entry.Annotations?.GetValueOrDefault(SomePlatformsAnnotation) == Some;

    public static Descriptor Entry(string name, Descriptor manifest, bool somePlatforms = false)
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in manifest.Annotations ?? new Dictionary<string, string>())
            annotations[key] = value;
        annotations.Remove(SomePlatformsAnnotation);
        annotations[Annotation] = name;
        if (somePlatforms)
            annotations[SomePlatformsAnnotation] = Some;
        return manifest with { Annotations = annotations, Data = null };
    }

    public static Descriptor Strip(Descriptor entry)
    {
        var rest = entry
            .Annotations?.Where(annotation => annotation.Key is not (Annotation or SomePlatformsAnnotation))
            .ToDictionary(StringComparer.Ordinal);
        return entry with { Annotations = rest is { Count: > 0 } ? rest : null };
    }
}
