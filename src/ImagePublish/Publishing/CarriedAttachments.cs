using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>What is attached to an image that is joined into an index.</summary>
internal sealed record AttachedToJoined(Reference Image, Descriptor Subject, IReadOnlyList<MemoryBlobSource> Manifests)
{
    /// <summary>The attestations as entries of the index.</summary>
    public IEnumerable<Descriptor> IndexEntries =>
        Manifests
            .Where(manifest => ReferrerEntry.Create(manifest).ArtifactType is AttachmentTypes.Attestation or AttachmentTypes.Symbols)
            .Select(manifest => AttachedManifest.IndexEntry(manifest.Descriptor, Subject.Digest));
}

/// <summary>Takes along what is attached to images of other repositories that are joined into an index.</summary>
internal sealed class CarriedAttachments(RegistryClient registries)
{
    private const int MaxCount = 100;

    public async Task<IReadOnlyList<AttachedToJoined>> FindAsync(IndexRequest request, CancellationToken cancellationToken) =>
        request.Placement == AttestationPlacement.None
            ? []
            : await Task.WhenAll(
                request.From.Where(image => image.Digest is not null).Select(image => FindAsync(image, cancellationToken))
            );

    public async Task AttachAsync(IReadOnlyList<AttachedToJoined> attached, IDestination destination)
    {
        foreach (var (image, subject, manifests) in attached)
        {
            if (manifests.Count == 0 || destination.Name == image.Repository.ToString())
                continue;
            foreach (var manifest in manifests)
            {
                var content = OciJson.ReadManifest(manifest.Content.Span);
                foreach (var blob in content.Layers.Prepend(content.Config).DistinctBy(blob => blob.Digest))
                    _ = destination.UploadAsync(registries.Blob(image.Repository, blob));
            }

            await destination.ConfirmUploadsAsync();
            foreach (var manifest in manifests)
                await destination.PutManifestAsync(manifest);
            await destination.AttachAsync(subject, [.. manifests.Select(ReferrerEntry.Create)]);
        }
    }

    private async Task<AttachedToJoined> FindAsync(Reference image, CancellationToken cancellationToken)
    {
        var (repository, subject) = (image.Repository, image.Digest!);
        var entries = await registries.ListReferrersAsync(repository, subject, cancellationToken)
            ?? await ReferrersTag.ListAsync(registries, repository, subject, cancellationToken);
        if (entries.Count > MaxCount)
            throw new ImagePublishException(
                DiagnosticCodes.AttachmentInvalid,
                $"{repository}@{subject} has {entries.Count} attachments; at most {MaxCount} are taken along. Delete those that are no "
                    + "longer needed."
            );
        var found = await Task.WhenAll(entries.Select(entry => ReadAsync(repository, subject, entry.Digest, cancellationToken)));
        var attached = found.OfType<AttachedManifestOf>().ToList();
        var described = attached.Count > 0 ? attached[0].Subject : new Descriptor(MediaTypes.OciManifest, subject, 0);
        return new AttachedToJoined(image, described, [.. attached.Select(one => one.Manifest)]);
    }

    private sealed record AttachedManifestOf(Descriptor Subject, MemoryBlobSource Manifest);

    private async Task<AttachedManifestOf?> ReadAsync(
        Repository repository,
        Digest subject,
        Digest attachment,
        CancellationToken cancellationToken
    )
    {
        var found = await registries.TryGetManifestAsync(repository.ReferenceTo(attachment), cancellationToken);
        return
            found is not null
            && MediaTypes.IsManifest(found.Descriptor.MediaType)
            && SubjectOf(repository, found.Content) is { } about
            && about.Digest == subject
            ? new AttachedManifestOf(about, found.Content)
            : null;
    }

    private static Descriptor? SubjectOf(Repository repository, MemoryBlobSource manifest)
    {
        try
        {
            return OciJson.ReadManifest(manifest.Content.Span).Subject;
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.AttachmentInvalid,
                $"{repository}@{manifest.Descriptor.Digest} is attached to an image and can't be read: {Text.Sanitize(exception.Message)}.",
                exception
            );
        }
    }
}
