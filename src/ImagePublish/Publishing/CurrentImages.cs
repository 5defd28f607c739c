using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>What the tags point at before they move, to be compared with.</summary>
internal sealed class CurrentImages(RegistryClient registries, ImageStore store, RegistryDocuments documents, IPublishLog log)
{
    /// <summary>Finds the image for the same platform at the first of the compared tags that there is, in the first place.</summary>
    public Task<(string Name, Image Image)?> FindAsync(PublishRequest request, CancellationToken cancellationToken) =>
        FindAsync(
            request.Destinations.Count == 0 ? null : request.Destinations[0],
            request.LocalName,
            request.ComparedTags,
            request.Spec.Platform,
            cancellationToken
        );

    /// <summary>Finds the image for a platform at the first of some tags that there is.</summary>
    public async Task<(string Name, Image Image)?> FindAsync(
        Repository? repository,
        string localName,
        IReadOnlyList<Tag> tags,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        foreach (var tag in tags)
        {
            var name = repository is null ? $"{localName}:{tag}" : $"{repository}:{tag}";
            try
            {
                var found = repository is not null
                    ? await FindAsync(repository.ReferenceTo(tag), platform, cancellationToken)
                    : (await store.LoadAsync(name, cancellationToken))?.Platforms.FirstOrDefault(one =>
                        one.Config.Platform.Satisfies(platform)
                    );
                if (found is not null)
                    return (name, found);
            }
            catch (Exception exception) when (exception is ImagePublishException or JsonException)
            {
                log.Information($"Nothing is compared with '{name}', which can't be read: {exception.Message}");
            }
        }

        return null;
    }

    private async Task<Image?> FindAsync(Reference reference, Platform platform, CancellationToken cancellationToken)
    {
        if (await documents.FindAsync(reference, cancellationToken) is not { } document)
            return null;
        var found = await documents.ReadImageAsync(
            reference.Repository,
            document,
            index => index.Manifests.FirstOrDefault(manifest => manifest.Platform?.Satisfies(platform) == true),
            cancellationToken
        );
        return found?.In(registries, reference.Repository);
    }
}
