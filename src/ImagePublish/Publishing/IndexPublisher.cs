using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Planning;
using ImagePublish.Publishing.Reports;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>Joins images for several platforms, published before on this machine or on others, into one.</summary>
internal sealed class IndexPublisher(RegistryClient registries, ImageStore store, IPublishLog log)
{
    private readonly RegistryDocuments documents = new(registries, store);

    private DestinationFactory Places => new(registries, documents, store);

    /// <summary>Publishes an index: images first, then the index by its digest, then its tags.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<IndexResult> PublishAsync(IndexRequest request, CancellationToken cancellationToken)
    {
        await using var destinations = Places.Open(request.Destinations, request.LocalName, cancellationToken);
        var result = await JoinAsync(request, destinations, cancellationToken);
        if (!result.IsUnchanged)
            await documents.RememberAsync(result.Index, cancellationToken);
        return result;
    }

    /// <summary>Does everything that a publish does but write.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<IndexPlan> PlanAsync(IndexRequest request, CancellationToken cancellationToken)
    {
        await using var destinations = Places.OpenPlanned(request.Destinations, request.LocalName, cancellationToken);
        var result = await JoinAsync(request, destinations, cancellationToken);
        return new IndexPlan(result, await destinations.PlanTagsAsync(result.Deliveries, result.Index.Descriptor, _ => []));
    }

    /// <summary>Looks into the images that were published elsewhere.</summary>
    public async Task<IReadOnlyList<ImageReport>> DescribeJoinedAsync(IndexResult result, CancellationToken cancellationToken)
    {
        var reporter = new ImageReporter(store, log);
        return await Task.WhenAll(result.Joined.Select(image => reporter.DescribeAsync(image, result.Deliveries, cancellationToken)));
    }

    private Task<(string Name, Image Image)?> FindBeforeAsync(IndexRequest request, Image image, CancellationToken cancellationToken) =>
        new CurrentImages(registries, store, documents, log).FindAsync(
            request.Destinations.Count == 0 ? null : request.Destinations[0],
            request.LocalName,
            request.ComparedTags,
            image.Platform,
            cancellationToken
        );

    private async Task<IndexResult> JoinAsync(IndexRequest request, DestinationSet destinations, CancellationToken cancellationToken)
    {
        var others = await Task.WhenAll(request.From.Select(reference => FindAsync(reference, cancellationToken)));
        // Before a tag moves.
        var joined = await Task.WhenAll(
            others.Select(async image =>
                JoinedImage.Create(image) with
                {
                    Before = await FindBeforeAsync(request, image, cancellationToken),
                }
            )
        );
        return await DeliverAsync(request, others, destinations, cancellationToken) with { Joined = joined };
    }

    private async Task<IndexResult> DeliverAsync(
        IndexRequest request,
        Image[] others,
        DestinationSet destinations,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<Descriptor> images = [.. request.Images, .. others.Select(image => image.IndexEntry)];
        var index = IndexComposer.Compose(images, request.Annotations);
        if (await Places.AreUpToDateAsync(request.Destinations, request.Tags, index.Descriptor.Digest, cancellationToken))
            return new IndexResult(
                index,
                images,
                DestinationResult.Unchanged(request.Destinations, request.Tags, index.Descriptor.Size),
                IsUnchanged: true
            );
        if (request.Destinations.Count == 0 && others.Length == 0 && await IsInStoreAsync(request, index, cancellationToken))
            return new IndexResult(
                index,
                images,
                [
                    new DestinationResult
                    {
                        Name = request.LocalName,
                        Tags = request.Tags,
                        Transfer = new TransferTotals(0, 0, index.Descriptor.Size),
                    },
                ],
                IsUnchanged: true
            );

        var guard = new TagGuard(registries, store);
        await guard.CheckAsync(
            await guard.FindAsync(request.Destinations, request.LocalName, request.HeldTags, cancellationToken),
            index.Descriptor,
            isPlatform: false,
            cancellationToken
        );
        foreach (var image in others)
            await destinations.CommitManifestsAsync(image);
        await destinations.CommitIndexAsync(index);
        return new IndexResult(index, images, await destinations.CommitTagsAsync(index, request.Tags), IsUnchanged: false);
    }

    private async Task<bool> IsInStoreAsync(IndexRequest request, MemoryBlobSource index, CancellationToken cancellationToken)
    {
        foreach (var tag in request.Tags)
        {
            if ((await store.FindReferenceAsync($"{request.LocalName}:{tag}", cancellationToken))?.Digest != index.Descriptor.Digest)
                return false;
        }

        return store.FindBlob(index.Descriptor) is not null;
    }

    private async Task<Image> FindAsync(Reference reference, CancellationToken cancellationToken)
    {
        var document = await documents.FindAsync(reference, cancellationToken)
            ?? throw new ImagePublishException(
                DiagnosticCodes.IndexImageMissing,
                $"The image '{reference}' does not exist. Publish it first, and name it by the digest that its publish told."
            );
        try
        {
            return await documents.ReadImageAsync(reference.Repository, document, _ => null, cancellationToken) is { } image
                ? image.In(registries, reference.Repository)
                : throw new ImagePublishException(
                    DiagnosticCodes.IndexImageMissing,
                    $"'{reference}' is not an image for one platform: only such images can be joined."
                );
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{reference}' can't be used: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }
}
