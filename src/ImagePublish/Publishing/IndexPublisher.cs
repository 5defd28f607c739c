using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>Joins images for several platforms, published before on this machine or on others, into one.</summary>
/// <param name="registries">The registries.</param>
/// <param name="store">The local store.</param>
public sealed class IndexPublisher(RegistryClient registries, ImageStore store)
{
    private readonly RemoteDocuments documents = new(registries, store);
    private readonly Places places = new(registries, store);

    /// <summary>Publishes an index: images first, then the index by its digest, then its tags.</summary>
    /// <param name="request">What to publish and where to.</param>
    /// <param name="cancellationToken">Gives up, and leaves no tag moved.</param>
    /// <returns>The index and where it is now.</returns>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<IndexResult> PublishAsync(IndexRequest request, CancellationToken cancellationToken)
    {
        var others = await Task.WhenAll(request.From.Select(reference => FindAsync(reference, cancellationToken)));
        IReadOnlyList<Descriptor> images = [.. request.Images, .. others.Select(image => image.IndexEntry)];
        var index = IndexComposer.Compose(images, request.Annotations);
        if (await places.AreUpToDateAsync(request.Destinations, request.Tags, index.Descriptor.Digest, cancellationToken))
            return new IndexResult(index, images, Delivery.Unchanged(request.Destinations, request.Tags, index.Descriptor.Size), IsUnchanged: true);

        var guard = new TagGuard(registries, store);
        await guard.CheckAsync(await guard.FindAsync(request.Destinations, request.LocalName, request.HeldTags, cancellationToken), index.Descriptor, isPlatform: false, cancellationToken);
        await using var destinations = places.Open(request.Destinations, request.LocalName, cancellationToken);
        var deliveries = await destinations.DeliverAsync(index, others, request.Tags);
        await documents.RememberAsync(index, cancellationToken);
        return new IndexResult(index, images, deliveries, IsUnchanged: false);
    }

    private async Task<Image> FindAsync(Reference reference, CancellationToken cancellationToken)
    {
        var document = await documents.FindAsync(reference, cancellationToken)
            ?? throw new ImagePublishException(DiagnosticCodes.IndexImageMissing, $"The image '{reference}' does not exist. Publish it first, and name it by the digest that its publish told.");
        try
        {
            return await documents.ReadImageAsync(reference.Repository, document, _ => null, cancellationToken) is { } image
                ? image.In(registries, reference.Repository)
                : throw new ImagePublishException(DiagnosticCodes.IndexImageMissing, $"'{reference}' is not an image for one platform: only such images can be joined.");
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(DiagnosticCodes.BaseInvalid, $"The image '{reference}' can't be used: {Text.Shown(exception.Message)}", exception);
        }
    }
}
