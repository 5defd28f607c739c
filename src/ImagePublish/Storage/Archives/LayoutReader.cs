using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>Reads the images of an OCI image layout, verifying every document.</summary>
internal sealed class LayoutReader(IArchiveFiles files)
{
    private const string ContainerdName = "io.containerd.image.name";
    private const int MaxDepth = 4;

    private readonly Dictionary<Digest, MemoryBlobSource> documents = [];
    private readonly HashSet<Digest> indexes = [];

    public async Task<List<ArchiveImage>> ReadAsync(ArchiveFile index, CancellationToken cancellationToken)
    {
        if (!LayoutMarker.IsSupported(await SmallAsync("oci-layout", files.Find("oci-layout")!, cancellationToken)))
            throw Invalid("its oci-layout is not of version 1");
        var list = OciJson.ReadIndex(await SmallAsync("index.json", index, cancellationToken));
        var images = new List<ArchiveImage>();
        foreach (var entries in list.Manifests.GroupBy(entry => entry.Digest))
        {
            if (await FindSubjectAsync(entries.First(), cancellationToken) is not null)
                continue;
            string[] names = [.. entries.Select(NameOf).OfType<string>().Distinct(StringComparer.Ordinal)];
            if (await ReadRootAsync(entries.First(), names, cancellationToken) is { } image)
                images.Add(image with { Attachments = await ReadAttachmentsAsync(list, image, cancellationToken) });
        }

        return images.Count > 0 ? images : throw Invalid("its index.json lists no image");
    }

    /// <summary>Reads what a list has of attachments of an image, of its platforms, and of those attachments.</summary>
    public async Task<IReadOnlyList<AttachedDocument>> ReadAttachmentsAsync(
        ImageIndex list,
        ArchiveImage image,
        CancellationToken cancellationToken
    )
    {
        var listed = new List<(Digest Subject, Descriptor Entry)>();
        foreach (var entry in list.Manifests.Where(entry => ReferenceNames.Read(entry) is null).DistinctBy(entry => entry.Digest))
        {
            if (await FindSubjectAsync(entry, cancellationToken) is { } subject)
                listed.Add((subject, entry));
        }

        var bySubject = listed.ToLookup(one => one.Subject, one => one.Entry);
        var attached = new List<AttachedDocument>();
        var seen = new HashSet<Digest>();
        var open = new Queue<Digest>(image.Blobs.Select(blob => blob.Descriptor.Digest));
        while (open.TryDequeue(out var subject))
        {
            foreach (var entry in bySubject[subject].Where(entry => seen.Add(entry.Digest)))
            {
                var document = await ReadDocumentAsync(StoredAttachments.Strip(entry), cancellationToken);
                var manifest = OciJson.ReadManifest(document.Content.Span);
                BlobSource[] blobs = [.. manifest.Layers.Prepend(manifest.Config).Select(FindBlob).OfType<BlobSource>()];
                attached.Add(new AttachedDocument(subject, document, blobs));
                open.Enqueue(entry.Digest);
            }
        }

        return attached;
    }

    // containerd marks the entry; to oras the manifest alone says it.
    private async Task<Digest?> FindSubjectAsync(Descriptor entry, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsManifest(entry.MediaType) || FindBlob(entry) is null)
            return StoredAttachments.SubjectOf(entry);
        if (ReferenceNames.Read(entry) is not null)
            return null;
        var document = await ReadDocumentAsync(entry with { Annotations = null, Platform = null }, cancellationToken);
        return OciJson.ReadManifest(document.Content.Span).Subject?.Digest;
    }

    private static string? NameOf(Descriptor entry) => entry.Annotations?.GetValueOrDefault(ContainerdName) ?? ReferenceNames.Read(entry);

    /// <summary>Reads the image of one entry of a list; null if it is something else.</summary>
    public async Task<ArchiveImage?> ReadRootAsync(Descriptor entry, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var root = ReferenceNames.Strip(entry) with { Annotations = null, Platform = null };
        if (MediaTypes.IsManifest(root.MediaType))
            return ArchiveImage.Create(await ReadImageAsync(root with { Platform = entry.Platform }, cancellationToken), names);
        if (!MediaTypes.IsIndex(root.MediaType))
            return null;
        var (platforms, others) = (new List<Image>(), new List<BlobSource>());
        indexes.Clear();
        var document = await ReadDocumentAsync(root, cancellationToken);
        await ReadChildrenAsync(document, platforms, others, 1, cancellationToken);
        return new ArchiveImage(document, platforms, names) { OtherBlobs = others };
    }

    private async Task ReadChildrenAsync(
        MemoryBlobSource index,
        List<Image> platforms,
        List<BlobSource> others,
        int depth,
        CancellationToken cancellationToken
    )
    {
        if (depth > MaxDepth)
            throw Invalid("its indexes are nested too deeply");
        foreach (var child in OciJson.ReadIndex(index.Content.Span).Manifests)
        {
            // docker save writes the whole index and only the platforms that it has.
            if (FindBlob(child) is not { } blob)
                continue;
            if (MediaTypes.IsIndex(child.MediaType))
            {
                // An index that names another many times, which does the same, would never be read to its end.
                if (!indexes.Add(child.Digest))
                    continue;
                others.Add(blob);
                await ReadChildrenAsync(await ReadDocumentAsync(child, cancellationToken), platforms, others, depth + 1, cancellationToken);
            }
            else if (MediaTypes.IsManifest(child.MediaType))
            {
                await ReadManifestAsync(child, platforms, others, cancellationToken);
            }
        }
    }

    private async Task ReadManifestAsync(
        Descriptor child,
        List<Image> platforms,
        List<BlobSource> others,
        CancellationToken cancellationToken
    )
    {
        var document = await ReadDocumentAsync(child, cancellationToken);
        var manifest = OciJson.ReadManifest(document.Content.Span);
        var isImage = manifest.Config.MediaType is MediaTypes.OciConfig or MediaTypes.DockerConfig && child.Platform?.Os != "unknown";
        if (isImage && manifest.Layers.All(layer => MediaTypes.IsForeign(layer.MediaType) || FindBlob(layer) is not null))
            platforms.Add(await ReadImageAsync(child, cancellationToken));
        else if (!isImage)
            others.AddRange(manifest.Layers.Prepend(manifest.Config).Select(FindBlob).OfType<BlobSource>().Prepend(document));
    }

    private async Task<Image> ReadImageAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        var document = await ReadDocumentAsync(descriptor with { Platform = null, Annotations = null }, cancellationToken);
        var manifest = OciJson.ReadManifest(document.Content.Span);
        var configBlob = await ReadDocumentAsync(manifest.Config, cancellationToken);
        var config = OciJson.ReadConfig(configBlob.Content.Span).WithPlatform(descriptor.Platform);
        files.Budget.CountEntries(1 + manifest.Layers.Count);
        if (config.RootFs.DiffIds.Count != manifest.Layers.Count)
            throw Invalid($"{descriptor.Digest} has {manifest.Layers.Count} layers, its config {config.RootFs.DiffIds.Count}");
        var layers = manifest.Layers.Zip(config.RootFs.DiffIds, (layer, diffId) =>
            new Layer(layer, diffId, FindBlob(layer) ?? Foreign(layer))
        );
        return new Image(document, configBlob, config, [.. layers]);
    }

    private async Task<MemoryBlobSource> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        var blob = FindBlob(descriptor) ?? throw Missing(descriptor);
        if (documents.TryGetValue(descriptor.Digest, out var known))
            return new MemoryBlobSource(descriptor, known.Content);
        if (descriptor.Size > OciJson.MaxManifestSize)
            throw Invalid($"{descriptor.Digest} has more than {OciJson.MaxManifestSize} bytes");
        files.Budget.CountText(descriptor.Size);
        var bytes = new byte[descriptor.Size];
        await using var content = await blob.OpenVerifiedAsync(
            () => Invalid($"the content of {descriptor.Digest} differs from its digest"),
            cancellationToken
        );
        await content.ReadExactlyAsync(bytes, cancellationToken);
        return documents[descriptor.Digest] = new MemoryBlobSource(descriptor, bytes);
    }

    private ArchiveBlobSource? FindBlob(Descriptor descriptor) =>
        files.Find(ArchiveWriter.PathOf(descriptor.Digest)) is { } file && file.Length == descriptor.Size
            ? new ArchiveBlobSource(descriptor, file)
            : null;

    private BlobSource? Foreign(Descriptor layer) => MediaTypes.IsForeign(layer.MediaType) ? null : throw Missing(layer);

    private async Task<byte[]> SmallAsync(string name, ArchiveFile file, CancellationToken cancellationToken) =>
        file.Length <= OciJson.MaxManifestSize
            ? await file.ReadAsync(cancellationToken)
            : throw Invalid($"its {name} has more than {OciJson.MaxManifestSize} bytes");

    private ImagePublishException Missing(Descriptor descriptor) => Invalid($"it lacks {descriptor.Digest} ({descriptor.Size} bytes)");

    private ImagePublishException Invalid(string reason) =>
        new(DiagnosticCodes.ArchiveInvalid, $"'{files.Location}' is not a complete image: {reason}. Write it again.");
}
