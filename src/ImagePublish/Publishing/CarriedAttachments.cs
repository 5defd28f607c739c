using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>What is attached to an image that is joined into an index.</summary>
internal sealed record AttachedToJoined(Repository Repository, MemoryBlobSource Image, IReadOnlyList<MemoryBlobSource> Attachments)
{
    /// <summary>The list of its registry, which may name what is attached to something else.</summary>
    public required IReadOnlyList<Descriptor> Listed { get; init; }

    /// <summary>The attestations as entries of the index.</summary>
    public IEnumerable<Descriptor> IndexEntries =>
        Attachments
            .Where(manifest => ReferrerEntry.Create(manifest).ArtifactType is AttachmentTypes.Attestation or AttachmentTypes.Symbols)
            .Select(manifest => AttachedManifest.IndexEntry(manifest.Descriptor, Image.Descriptor.Digest));
}

/// <summary>Takes along what is attached to images of other repositories that are joined into an index, as a copy does: with what is
/// attached to that, such as the signatures of attestations.</summary>
internal sealed class CarriedAttachments(RegistryClient registries, RegistryDocuments documents)
{
    private const int MaxCount = 100;

    public async Task<IReadOnlyList<AttachedToJoined>> FindAsync(
        IndexRequest request,
        IReadOnlyList<Image> joined,
        CancellationToken cancellationToken
    ) =>
        request.Placement == AttestationPlacement.None
            ? []
            : await Task.WhenAll(request.From.Zip(joined, (from, image) => FindAsync(from.Repository, image.Manifest, cancellationToken)));

    public async Task AttachAsync(
        IReadOnlyList<AttachedToJoined> attached,
        IDestination destination,
        TagChanges changes,
        CancellationToken cancellationToken
    )
    {
        foreach (var joined in attached.Where(one => destination.Name != one.Repository.ToString()))
        {
            var (repository, image, _) = joined;
            var content = new RegistryContent(registries, documents, repository, image) { KnownReferrers = joined.Listed };
            try
            {
                await new ImageTransfer(content, destination, changes, registries.Log.Information).RunAttachmentsAsync(cancellationToken);
            }
            catch (JsonException exception)
            {
                throw Unreadable($"What is attached to {repository}@{image.Descriptor.Digest}", exception);
            }
        }
    }

    private async Task<AttachedToJoined> FindAsync(Repository repository, MemoryBlobSource image, CancellationToken cancellationToken)
    {
        var subject = image.Descriptor.Digest;
        var entries = await ReferrersTag.ListAllAsync(registries, repository, subject, cancellationToken);
        if (entries.Count > MaxCount)
            throw new ImagePublishException(
                DiagnosticCodes.AttachmentInvalid,
                $"{repository}@{subject} has {entries.Count} attachments; at most {MaxCount} are taken along. Delete those that are no "
                    + "longer needed."
            );
        var found = await Task.WhenAll(entries.Select(entry => ReadAsync(repository, subject, entry.Digest, cancellationToken)));
        return new AttachedToJoined(repository, image, [.. found.OfType<MemoryBlobSource>()]) { Listed = entries };
    }

    private async Task<MemoryBlobSource?> ReadAsync(
        Repository repository,
        Digest subject,
        Digest attachment,
        CancellationToken cancellationToken
    )
    {
        var found = await documents.FindAsync(repository.ReferenceTo(attachment), cancellationToken);
        try
        {
            return
                found is not null
                && MediaTypes.IsManifest(found.Descriptor.MediaType)
                && OciJson.ReadManifest(found.Content.Span).Subject?.Digest == subject
                ? found
                : null;
        }
        catch (JsonException exception)
        {
            throw Unreadable($"{repository}@{attachment} is attached to an image and", exception);
        }
    }

    private static ImagePublishException Unreadable(string what, JsonException exception) =>
        new(DiagnosticCodes.AttachmentInvalid, $"{what} can't be read: {Text.Sanitize(exception.Message).TrimEnd('.')}.", exception);
}
