using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Publishing;

/// <summary>An image that a tag points at before the publish moves it.</summary>
internal sealed record CurrentImage(string Name, Image Image);

/// <summary>Finds the images that plans and reports compare with.</summary>
internal sealed class CurrentImages(PublishContext context)
{
    /// <summary>Finds the image for the request's platform at the first compared tag that exists in the first destination.</summary>
    public Task<CurrentImage?> FindAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        var names = NamesOf(request.Destinations, request.LocalName, request.ComparedTags);
        return FindAsync(names, request.Spec.Platform, cancellationToken);
    }

    /// <summary>The same for one of the images that are joined into an index.</summary>
    public Task<CurrentImage?> FindAsync(IndexRequest request, Platform platform, CancellationToken cancellationToken)
    {
        var names = NamesOf(request.Destinations, request.LocalName, request.ComparedTags);
        return FindAsync(names, platform, cancellationToken);
    }

    // A reference, or a name in the local store.
    private static IEnumerable<(string Name, Reference? Reference)> NamesOf(
        IReadOnlyList<Repository> destinations,
        string localName,
        IReadOnlyList<Tag> tags
    ) =>
        destinations.Count == 0
            ? tags.Select(tag => ($"{localName}:{tag}", (Reference?)null))
            : tags.Select(tag => ($"{destinations[0]}:{tag}", (Reference?)destinations[0].ReferenceTo(tag)));

    private async Task<CurrentImage?> FindAsync(
        IEnumerable<(string Name, Reference? Reference)> names,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        foreach (var (name, reference) in names)
        {
            try
            {
                var image = reference is null
                    ? await FindLocalAsync(name, platform, cancellationToken)
                    : await FindRemoteAsync(reference, platform, cancellationToken);
                if (image is not null)
                    return new CurrentImage(name, image);
            }
            catch (Exception exception) when (exception is ImagePublishException or JsonException)
            {
                context.Log.Information($"Nothing is compared with '{name}', which can't be read: {exception.Message}");
            }
        }

        return null;
    }

    private async Task<Image?> FindLocalAsync(string name, Platform platform, CancellationToken cancellationToken)
    {
        var stored = await context.Store.LoadAsync(name, cancellationToken);
        return stored?.Platforms.FirstOrDefault(one => one.Config.Platform.Satisfies(platform));
    }

    private async Task<Image?> FindRemoteAsync(Reference reference, Platform platform, CancellationToken cancellationToken)
    {
        if (await context.Documents.FindAsync(reference, cancellationToken) is not { } document)
            return null;
        var image = await context.Documents.ReadImageAsync(
            reference.Repository,
            document,
            index => index.Manifests.FirstOrDefault(manifest => manifest.Platform?.Satisfies(platform) == true),
            cancellationToken
        );
        return image?.In(context.Registries, reference.Repository);
    }
}
