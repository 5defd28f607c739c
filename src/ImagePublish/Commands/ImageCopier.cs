using System.Text.Json;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Commands;

/// <summary>What to copy and where to.</summary>
internal sealed record CopyRequest(ImageSource Source, IReadOnlyList<Repository> Destinations, string LocalName, IReadOnlyList<Tag> Tags)
{
    public bool DryRun { get; init; }

    /// <summary>Further tags, which have a part of the image's digest in them.</summary>
    public IReadOnlyList<ContentTag> ContentTags { get; init; } = [];

    public IReadOnlyList<Tag> TagsFor(Digest image) => [.. Tags, .. ContentTags.Select(tag => tag.For(image))];
}

/// <summary>An image that was copied.</summary>
/// <param name="Attachments">How many signatures, bills of materials and the like were copied to each destination.</param>
internal sealed record CopyResult(string Source, Descriptor Root, IReadOnlyList<DestinationResult> Deliveries, int Attachments);

/// <summary>Copies images with all platforms and everything attached, byte for byte: every digest stays.</summary>
internal sealed class ImageCopier(RegistryClient registries, ImageStore store)
{
    private readonly ImageOpener sources = new(registries, store);

    /// <summary>Copies an image. No tag moves before the whole image is everywhere.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1030</c>: source and destination are the same; <c>IMG3105</c>,
    /// <c>IMG3106</c>, <c>IMG4006</c>: there is no such image; or what a destination fails with.</exception>
    public async Task<CopyResult> CopyAsync(CopyRequest request, CancellationToken cancellationToken)
    {
        RejectSame(request);
        using var session = await store.BeginSessionAsync(cancellationToken);
        var content = await sources.OpenAsync(request.Source, cancellationToken);
        var factory = new DestinationFactory(registries, sources.Documents, store);
        await using var destinations = request.DryRun
            ? factory.OpenPlanned(request.Destinations, request.LocalName, cancellationToken)
            : factory.Open(request.Destinations, request.LocalName, cancellationToken);
        try
        {
            var transfers = destinations
                .All.Select(one => new ImageTransfer(content, one, destinations.Changes, registries.Log.Information))
                .ToList();
            await Task.WhenAll(transfers.Select(transfer => transfer.RunAsync(cancellationToken)));
            var results = await destinations.CommitTagsAsync(content.Root, request.TagsFor(content.Root.Descriptor.Digest));
            var attachments = transfers.Max(transfer => transfer.Attachments);
            return new CopyResult(request.Source.ToString()!, content.Root.Descriptor, results, attachments);
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

    private static void RejectSame(CopyRequest request)
    {
        var isSame = request.Source switch
        {
            RegistryImage { Reference: var from } => request.Destinations.Contains(from.Repository)
                && request.Tags.All(tag => tag == from.Tag),
            StoreImage stored => request.Destinations.Count == 0
                && StoreNames.Repository(stored.Name) == request.LocalName
                && request.Tags.All(tag => tag.Value == StoreNames.Tag(stored.Name)),
            _ => false,
        };
        if (isSame && request.ContentTags.Count == 0)
        {
            throw new ImagePublishException(
                DiagnosticCodes.SameImage,
                $"'{Text.Sanitize(request.Source.ToString()!)}' is both source and destination. Name another "
                    + "place with ImageRegistry, ImageRepository or ImageName, or another tag with ImageTags."
            );
        }
    }
}
