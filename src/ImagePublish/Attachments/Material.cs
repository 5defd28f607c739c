using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>Something that an image was made of: a commit, an image, a package, a file.</summary>
/// <remarks>
/// <see href="https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md">in-toto, ResourceDescriptor</see>.
/// </remarks>
internal sealed record Material
{
    public string? Uri { get; init; }

    public string? Name { get; init; }

    /// <summary>The hash's name in in-toto's words, and its value in hexadecimal; null where it is not known.</summary>
    public (string Algorithm, string Hex)? Digest { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Annotations { get; init; } = [];

    public static Material Image(string uri, Digest digest) => new() { Uri = uri, Digest = (digest.Algorithm, digest.Hex) };
}
