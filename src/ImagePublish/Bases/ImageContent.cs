using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>An image with everything that it names, wherever it is.</summary>
internal interface IImageContent
{
    MemoryBlobSource Root { get; }

    /// <summary>Reads a manifest, an index or a config of it; null where it is not there, as a platform of an index
    /// that was not kept.</summary>
    Task<MemoryBlobSource?> TryReadAsync(Descriptor document, CancellationToken cancellationToken);

    BlobSource Blob(Descriptor descriptor);

    Task<IReadOnlyList<Attachment>> AttachmentsAsync(Digest subject, CancellationToken cancellationToken);
}

/// <summary>A manifest that is attached to another.</summary>
internal sealed record Attachment(Descriptor Descriptor, Tag? Tag);

/// <summary>An image of a registry.</summary>
internal sealed class RegistryContent(RegistryClient registries, RegistryDocuments documents, Repository repository, MemoryBlobSource root)
    : IImageContent
{
    private static readonly string[] CosignSuffixes = [".sig", ".att", ".sbom"];

    /// <summary>The repository's tags, where they are known: then no other is asked for.</summary>
    public IReadOnlySet<string>? KnownTags { get; init; }

    /// <summary>What is attached to the image by its digest, where that is known: then it is not listed.</summary>
    public IReadOnlyList<Descriptor>? KnownReferrers { get; init; }

    public MemoryBlobSource Root => root;

    public async Task<MemoryBlobSource?> TryReadAsync(Descriptor document, CancellationToken cancellationToken) =>
        MediaTypes.IsIndex(document.MediaType) || MediaTypes.IsManifest(document.MediaType)
            ? await documents.FindAsync(repository.ReferenceTo(document.Digest), cancellationToken)
            : await documents.ConfigAsync(repository, document, cancellationToken);

    public BlobSource Blob(Descriptor descriptor) => registries.Blob(repository, descriptor);

    public async Task<IReadOnlyList<Attachment>> AttachmentsAsync(Digest subject, CancellationToken cancellationToken)
    {
        var list = ReferrersTag.NameOf(subject);
        var byTag = CosignSuffixes
            .Select(suffix => list + suffix)
            .Where(MayExist)
            .Select(tag => ByTagAsync(Tag.Parse(tag), cancellationToken))
            .ToList();
        var bySubject =
            subject == root.Descriptor.Digest && KnownReferrers is not null ? KnownReferrers
            : MayExist(list) ? await ReferrersTag.ListAllAsync(registries, repository, subject, cancellationToken)
            : await registries.ListReferrersAsync(repository, subject, cancellationToken) ?? [];
        return [.. bySubject.Select(found => new Attachment(found, null)), .. (await Task.WhenAll(byTag)).OfType<Attachment>()];
    }

    private bool MayExist(string tag) => KnownTags?.Contains(tag) != false;

    private async Task<Attachment?> ByTagAsync(Tag tag, CancellationToken cancellationToken) =>
        await registries.FindManifestAsync(repository.ReferenceTo(tag), cancellationToken) is { } found ? new Attachment(found, tag) : null;
}

/// <summary>An image of the local store or of an archive.</summary>
internal sealed class LocalContent(ArchiveImage image, string name) : IImageContent
{
    private readonly Dictionary<Digest, BlobSource> blobs = image
        .Blobs.Concat(image.Attachments.SelectMany(one => one.Blobs.Prepend(one.Manifest)))
        .DistinctBy(blob => blob.Descriptor.Digest)
        .ToDictionary(blob => blob.Descriptor.Digest);

    public MemoryBlobSource Root => image.Root;

    public async Task<MemoryBlobSource?> TryReadAsync(Descriptor document, CancellationToken cancellationToken)
    {
        if (!blobs.TryGetValue(document.Digest, out var blob))
            return null;
        if (blob is MemoryBlobSource known)
            return known;
        if (document.Size > OciJson.MaxManifestSize)
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveInvalid,
                $"{document.Digest} of '{Text.Sanitize(name)}' has {document.Size} bytes; at most {OciJson.MaxManifestSize} are allowed."
            );
        var bytes = new byte[document.Size];
        await using var content = await blob.OpenAsync(0, cancellationToken);
        await content.ReadExactlyAsync(bytes, cancellationToken);
        return Digest.Compute(bytes) == document.Digest
            ? new MemoryBlobSource(blob.Descriptor, bytes)
            : throw new ImagePublishException(
                DiagnosticCodes.ContentMismatch,
                $"The content of {document.Digest} of '{Text.Sanitize(name)}' differs from its digest."
            );
    }

    public BlobSource Blob(Descriptor descriptor) =>
        blobs.TryGetValue(descriptor.Digest, out var blob)
            ? blob
            : throw new ImagePublishException(
                DiagnosticCodes.StoreIncomplete,
                $"'{Text.Sanitize(name)}' lacks {descriptor.Digest} ({descriptor.Size} bytes). Publish, copy or write it again."
            );

    public Task<IReadOnlyList<Attachment>> AttachmentsAsync(Digest subject, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Attachment>>([
            .. image.Attachments.Where(one => one.Subject == subject).Select(one => new Attachment(one.Manifest.Descriptor, null)),
        ]);
}
