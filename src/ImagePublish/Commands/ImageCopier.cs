using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>What to copy and where to.</summary>
internal sealed record CopyRequest(ImageSource Source, IReadOnlyList<Repository> Destinations, string LocalName, IReadOnlyList<Tag> Tags)
{
    /// <summary>Whether to tell only what would be copied.</summary>
    public bool DryRun { get; init; }
}

/// <summary>An image that was copied.</summary>
/// <param name="Attachments">How many signatures, bills of materials and the like went with it to each place.</param>
internal sealed record CopyResult(string Source, Descriptor Root, IReadOnlyList<DestinationResult> Deliveries, int Attachments);

/// <summary>Copies images with all platforms and everything attached, byte for byte: every digest stays.</summary>
internal sealed class ImageCopier(RegistryClient registries, ImageStore store)
{
    private readonly ImageSources sources = new(registries, store);

    /// <summary>Copies an image. No tag moves before the whole image is everywhere.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1030</c>: source and destination are the same; <c>IMG3105</c>, <c>IMG3106</c>, <c>IMG4006</c>: there is no such image; or what a place fails with.</exception>
    public async Task<CopyResult> CopyAsync(CopyRequest request, CancellationToken cancellationToken)
    {
        RejectSame(request);
        using var session = await store.BeginSessionAsync(cancellationToken);
        var content = await sources.OpenAsync(request.Source, cancellationToken);
        ICopyTarget[] targets =
            request.Destinations.Count == 0
                ? [StoreFor(request)]
                : [.. request.Destinations.Select(repository => RegistryFor(repository, request.DryRun))];
        try
        {
            var tagging = new TagChanges(NameChange.Tagged, registries.Log, registries.Time);
            var transfers = targets.Select(target => new ImageTransfer(content, target, tagging)).ToList();
            var totals = await Task.WhenAll(transfers.Select(transfer => transfer.RunAsync(cancellationToken)));
            await tagging.MakeAsync([.. targets.SelectMany(target => target.Tagging(content.Root, request.Tags))], cancellationToken);
            DestinationResult[] deliveries = [.. targets.Zip(totals, (target, total) => target.Describe(request.Tags, total))];
            return new CopyResult(
                request.Source.ToString()!,
                content.Root.Descriptor,
                deliveries,
                transfers.Max(transfer => transfer.Attachments)
            );
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.BaseInvalid,
                $"The image '{Text.Sanitize(request.Source.ToString()!)}' is malformed: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    private ICopyTarget StoreFor(CopyRequest request)
    {
        var target = new StoreTarget(store, request.LocalName, registries.Log);
        return !request.DryRun
            ? target
            : new PlannedCopyTarget(target, (blob, _) =>
                Task.FromResult(
                    store.FindBlob(blob.Descriptor) is null ? BlobTransfer.Sent(blob, blob.Descriptor.Size) : BlobTransfer.Reused
                )
            );
    }

    private ICopyTarget RegistryFor(Repository repository, bool dryRun)
    {
        var target = new RegistryTarget(registries, repository);
        var cache = new LayerCache(store);
        return dryRun
            ? new PlannedCopyTarget(target, (blob, stop) => PlannedRegistry.LookAsync(registries, cache, repository, blob, stop))
            : target;
    }

    private static void RejectSame(CopyRequest request)
    {
        var isSame = request.Source switch
        {
            RegistryImage { Reference: var from } => request.Destinations.Contains(from.Repository)
                && request.Tags.All(tag => tag == from.Tag),
            StoreImage kept => request.Destinations.Count == 0
                && StoreNames.Repository(kept.Name) == request.LocalName
                && request.Tags.All(tag => tag.Value == StoreNames.Tag(kept.Name)),
            _ => false,
        };
        if (isSame)
        {
            throw new ImagePublishException(
                DiagnosticCodes.SameImage,
                $"'{Text.Sanitize(request.Source.ToString()!)}' is both source and destination. Name another place with ImageRegistry, ImageRepository or ImageName, or another tag with ImageTags."
            );
        }
    }
}
