using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>Joins images for several platforms, published before on this machine or on others, into one.</summary>
internal sealed class IndexPublisher(PublishContext context)
{
    /// <summary>Publishes an index: images first, then the index by its digest, then its tags.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<IndexResult> PublishAsync(IndexRequest request, CancellationToken cancellationToken)
    {
        await using var destinations = context.Destinations.Open(request.Destinations, request.LocalName, cancellationToken);
        var result = await PublishSpans.IndexAsync("publish index", request, () => RunAsync(request, destinations, cancellationToken));
        if (!result.IsUnchanged)
            await context.Documents.RememberAsync(result.Index, cancellationToken);
        return result;
    }

    /// <summary>Does everything that a publish does but write.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<IndexPlan> PlanAsync(IndexRequest request, CancellationToken cancellationToken)
    {
        await using var destinations = context.Destinations.OpenPlanned(request.Destinations, request.LocalName, cancellationToken);
        var result = await PublishSpans.IndexAsync("plan index", request, () => RunAsync(request, destinations, cancellationToken));
        return new IndexPlan(result, await destinations.PlanTagsAsync(result.Deliveries, result.Index.Descriptor, _ => []));
    }

    private async Task<IndexResult> RunAsync(IndexRequest request, DestinationSet destinations, CancellationToken cancellationToken)
    {
        var others = await Task.WhenAll(request.From.Select(reference => FindImageAsync(reference, cancellationToken)));
        // Before a tag moves.
        var joined = await Task.WhenAll(others.Select(image => DescribeAsync(request, image, cancellationToken)));

        IReadOnlyList<Descriptor> images = [.. request.Images, .. others.Select(image => image.IndexEntry)];
        var carried = new CarriedAttachments(context.Registries, context.Documents);
        var attached = await carried.FindAsync(request, others, cancellationToken);
        var entries = request.Placement == AttestationPlacement.Index ? attached.SelectMany(one => one.IndexEntries) : [];
        var index = IndexComposer.Compose(images, request.Annotations, [.. request.Attestations, .. entries]);
        var signing = new SigningStep(context, ImageSigner.Create(request.Signing, context.Registries.Services), cancellationToken);
        var signed = new SignedImage(index, request.TagsFor(index.Descriptor.Digest));
        if (await FindUnchangedAsync(request, index, cancellationToken) is { } unchanged)
        {
            await signing.SignUnchangedAsync(destinations, signed);
            return new IndexResult(index, images, unchanged, IsUnchanged: true) { Joined = joined };
        }

        var tagGuard = new TagGuard(context.Registries, context.Store);
        var heldTags = await tagGuard.FindAsync(
            request.Destinations,
            request.LocalName,
            request.HeldTagsFor(index.Descriptor.Digest),
            cancellationToken
        );
        await tagGuard.CheckAsync(heldTags, index.Descriptor, isPlatform: false, cancellationToken);

        foreach (var image in others)
            await destinations.CommitManifestsAsync(image);
        await destinations.EachAsync(destination => carried.AttachAsync(attached, destination, destinations.Changes, cancellationToken));
        await destinations.CommitIndexAsync(index);
        await signing.SignAsync(destinations, signed);
        var deliveries = await destinations.CommitTagsAsync(index, signed.Tags);
        return new IndexResult(index, images, deliveries, IsUnchanged: false) { Joined = joined };
    }

    private async Task<JoinedImage> DescribeAsync(IndexRequest request, Image image, CancellationToken cancellationToken)
    {
        var before = await new CurrentImages(context).FindAsync(request, image.Platform, cancellationToken);
        return JoinedImage.Create(image) with { Before = before };
    }

    private async Task<IReadOnlyList<DestinationResult>?> FindUnchangedAsync(
        IndexRequest request,
        MemoryBlobSource index,
        CancellationToken cancellationToken
    )
    {
        var (digest, size) = (index.Descriptor.Digest, index.Descriptor.Size);
        var tags = request.TagsFor(digest);
        if (await context.Destinations.AreUpToDateAsync(request.Destinations, tags, digest, cancellationToken))
            return DestinationResult.Unchanged(request.Destinations, tags, size);
        if (request.Destinations.Count > 0 || request.From.Count > 0 || !await IsInStoreAsync(request, index, cancellationToken))
            return null;
        return
        [
            new DestinationResult
            {
                Name = request.LocalName,
                Tags = tags,
                Transfer = new TransferTotals(0, 0, size),
            },
        ];
    }

    private async Task<bool> IsInStoreAsync(IndexRequest request, MemoryBlobSource index, CancellationToken cancellationToken)
    {
        foreach (var tag in request.TagsFor(index.Descriptor.Digest))
        {
            var current = await context.Store.FindReferenceAsync($"{request.LocalName}:{tag}", cancellationToken);
            if (current?.Digest != index.Descriptor.Digest)
                return false;
        }

        return context.Store.FindBlob(index.Descriptor) is not null;
    }

    private async Task<Image> FindImageAsync(Reference reference, CancellationToken cancellationToken)
    {
        var document = await context.Documents.FindAsync(reference, cancellationToken)
            ?? throw new ImagePublishException(
                DiagnosticCodes.IndexImageMissing,
                $"The image '{reference}' does not exist. Publish it first, and use the digest from its output, ImageReference."
            );
        try
        {
            var image = await context.Documents.ReadImageAsync(reference.Repository, document, _ => null, cancellationToken);
            return image?.In(context.Registries, reference.Repository)
                ?? throw new ImagePublishException(
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
