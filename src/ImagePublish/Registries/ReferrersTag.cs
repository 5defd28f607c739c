using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>The tag that lists what is attached to a manifest, in registries without an endpoint for it.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema">distribution-spec, Referrers
/// Tag Schema</see>.
/// </remarks>
internal static class ReferrersTag
{
    public static string NameOf(Digest subject) => $"{subject.Algorithm}-{subject.Hex}";

    public static async Task<IReadOnlyList<Descriptor>> ListAsync(
        RegistryClient registries,
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    )
    {
        var reference = repository.ReferenceTo(Tag.Parse(NameOf(subject)));
        return await registries.TryGetManifestAsync(reference, cancellationToken) is { IsIndex: true } index
            ? OciJson.ReadIndex(index.Content.Content.Span).Manifests
            : [];
    }
}
