using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Destinations;

/// <summary>Protects tags that must not move (<c>ImageTagOverwrite</c> is false): checked before anything is uploaded.</summary>
internal sealed class TagGuard(RegistryClient registries, ImageStore store)
{
    public async Task<IReadOnlyList<HeldTag>> FindAsync(
        IReadOnlyList<Repository> repositories,
        string localName,
        IReadOnlyList<Tag> tags,
        CancellationToken cancellationToken
    )
    {
        var found =
            repositories.Count == 0
                ? await Task.WhenAll(
                    tags.Select(async tag =>
                        await store.FindReferenceAsync($"{localName}:{tag}", cancellationToken) is { } image
                            ? new HeldTag(null, $"{localName}:{tag}", image.Digest)
                            : null
                    )
                )
                : await Task.WhenAll(
                    repositories.SelectMany(repository =>
                        tags.Select(async tag =>
                            await registries.FindManifestAsync(repository.ReferenceTo(tag), cancellationToken) is { } image
                                ? new HeldTag(repository, $"{repository}:{tag}", image.Digest)
                                : null
                        )
                    )
                );
        return [.. found.OfType<HeldTag>()];
    }

    /// <summary>Refuses an image that tags would have to move to.</summary>
    /// <param name="isPlatform">Whether the tags are those of an index that the image is a part of: then it must be there already.</param>
    /// <exception cref="ImagePublishException"><c>IMG4010</c>: a tag would have to move.</exception>
    public async Task CheckAsync(IReadOnlyList<HeldTag> held, Descriptor image, bool isPlatform, CancellationToken cancellationToken)
    {
        if (!isPlatform)
            Check(held, image, "Nothing was uploaded");
        foreach (var tag in isPlatform ? held : [])
        {
            if (!await IsThereAsync(tag.Repository, image, cancellationToken))
                throw Refused(tag, "Nothing was uploaded");
        }
    }

    /// <param name="outcome">What the publish has left alone.</param>
    /// <exception cref="ImagePublishException"><c>IMG4010</c>: a tag would have to move.</exception>
    public static void Check(IReadOnlyList<HeldTag> held, Descriptor image, string outcome)
    {
        if (held.FirstOrDefault(tag => tag.Digest != image.Digest) is { } moved)
            throw Refused(moved, outcome);
    }

    private static ImagePublishException Refused(HeldTag tag, string outcome) =>
        new(
            DiagnosticCodes.TagImmutable,
            $"'{tag.Name}' exists and is another image ({tag.Digest}), and ImageTagOverwrite is false. "
                + $"{outcome}. Raise the version, or leave the tag out of ImageTags."
        );

    private async Task<bool> IsThereAsync(Repository? repository, Descriptor image, CancellationToken cancellationToken) =>
        repository is null
            ? store.FindBlob(image) is not null
            : await registries.FindManifestAsync(repository.ReferenceTo(image.Digest), cancellationToken) is not null;
}

/// <summary>A tag that exists.</summary>
internal sealed record HeldTag(Repository? Repository, string Name, Digest Digest);
