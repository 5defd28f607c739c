using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>The tag that lists what is attached to a manifest, in registries without an endpoint for it.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema">distribution-spec, Referrers
/// Tag Schema</see>.
/// </remarks>
internal static class ReferrersTag
{
    private const int MaxHex = 64;

    /// <summary>The tag's name: of a longer hash only the first part fits.</summary>
    public static string NameOf(Digest subject) => $"{subject.Algorithm}-{subject.Hex[..Math.Min(subject.Hex.Length, MaxHex)]}";

    /// <summary>Lists what is attached to a manifest, wherever the registry has it.</summary>
    public static async Task<IReadOnlyList<Descriptor>> ListAllAsync(
        RegistryClient registries,
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    ) =>
        await CompleteAsync(
            await registries.ListReferrersAsync(repository, subject, cancellationToken),
            registries,
            repository,
            subject,
            cancellationToken
        );

    /// <summary>Completes the list of the referrers API.</summary>
    /// <param name="listed">What it lists; null where the registry does not have it.</param>
    /// <remarks>Quirk: false-referrers. The specification has clients look at the tag where the registry has no referrers API. But some
    /// answer with an empty list whatever there is, or got the API after the tag: an empty list is no proof that nothing is
    /// attached.</remarks>
    public static async Task<IReadOnlyList<Descriptor>> CompleteAsync(
        IReadOnlyList<Descriptor>? listed,
        RegistryClient registries,
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    ) => listed is { Count: > 0 } ? listed : await ListAsync(registries, repository, subject, cancellationToken);

    /// <summary>Lists what the tag says is attached to a manifest.</summary>
    public static async Task<IReadOnlyList<Descriptor>> ListAsync(
        RegistryClient registries,
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    )
    {
        var reference = repository.ReferenceTo(Tag.Parse(NameOf(subject)));
        // Quirk: tag-means-digest. The platforms of an image are not attached to it.
        return
            await registries.TryGetManifestAsync(reference, cancellationToken) is { IsIndex: true } index
            && index.Descriptor.Digest != subject
            ? [.. OciJson.ReadIndex(index.Content.Content.Span).Manifests.Where(entry => entry.Platform is null)]
            : [];
    }
}
