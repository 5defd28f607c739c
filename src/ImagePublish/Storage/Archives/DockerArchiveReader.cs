using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>Reads the images of an archive that <c>docker save</c> writes. It has no manifest: one of Docker's family is made for
/// it.</summary>
internal sealed class DockerArchiveReader(IArchiveFiles files)
{
    private readonly Dictionary<string, ArchiveBlobSource> blobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MemoryBlobSource> configs = new(StringComparer.Ordinal);

    public async Task<List<ArchiveImage>> ReadAsync(ArchiveFile manifest, CancellationToken cancellationToken)
    {
        DockerArchiveEntry?[] entries = JsonReading.Read(
            await SmallAsync(manifest, cancellationToken),
            ArchiveJsonContext.Strict.DockerArchiveEntryArray,
            "manifest.json"
        );
        var images = new List<ArchiveImage>();
        foreach (var entry in entries)
        {
            if (entry is null || entry.Layers?.Contains(null) == true)
                throw Invalid("its manifest.json has null in a list");
            images.Add(ArchiveImage.Create(await ReadImageAsync(entry, cancellationToken), [.. entry.RepoTags?.OfType<string>() ?? []]));
        }

        return images.Count > 0 ? images : throw Invalid("its manifest.json lists no image");
    }

    private async Task<Image> ReadImageAsync(DockerArchiveEntry entry, CancellationToken cancellationToken)
    {
        // A few bytes of manifest.json can name an image that was named before.
        if (!configs.TryGetValue(entry.Config, out var configBlob))
            configs[entry.Config] = configBlob = MemoryBlobSource.Create(
                MediaTypes.DockerConfig,
                await SmallAsync(Find(entry.Config), cancellationToken)
            );
        var config = OciJson.ReadConfig(configBlob.Content.Span);
        string[] paths = [.. entry.Layers?.OfType<string>() ?? []];
        files.Budget.CountEntries(1 + config.RootFs.DiffIds.Count);
        files.Budget.CountText(configBlob.Descriptor.Size);
        if (paths.Length != config.RootFs.DiffIds.Count)
            throw Invalid($"'{Text.Sanitize(entry.Config)}' has {config.RootFs.DiffIds.Count} layers, manifest.json {paths.Length}");
        var layers = new List<Layer>();
        foreach (var (path, diffId) in paths.Zip(config.RootFs.DiffIds))
            layers.Add(await ReadLayerAsync(path, diffId, cancellationToken));
        var manifest = new ImageManifest(configBlob.Descriptor, [.. layers.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.DockerManifest,
        };
        return new Image(MemoryBlobSource.Create(MediaTypes.DockerManifest, OciJson.Write(manifest)), configBlob, config, layers);
    }

    private async Task<Layer> ReadLayerAsync(string path, Digest diffId, CancellationToken cancellationToken)
    {
        // Images of one archive share layers, and an image may have the same one several times.
        if (!blobs.TryGetValue(path, out var blob))
            blobs[path] = blob = await ReadBlobAsync(path, cancellationToken);
        if (MediaTypes.CompressionOf(blob.Descriptor.MediaType) == Compression.None && blob.Descriptor.Digest != diffId)
            throw Invalid($"the content of '{Text.Sanitize(path)}' differs from its digest");
        return new Layer(blob.Descriptor, diffId, blob);
    }

    private async Task<ArchiveBlobSource> ReadBlobAsync(string path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        Compression? compression;
        await using (var head = await file.OpenAsync(0, cancellationToken))
            compression = TarFiles.LayerCompressionOf(await CompressedStream.DetectAsync(head, cancellationToken));
        if (compression is null)
            throw Invalid($"the layer '{Text.Sanitize(path)}' is compressed with neither gzip nor zstd");
        await using var content = await file.OpenAsync(0, cancellationToken);
        var digest = await Digest.ComputeAsync(content, cancellationToken);
        return new ArchiveBlobSource(new Descriptor(MediaTypes.Layer(ImageFormat.Docker, compression.Value), digest, file.Length), file);
    }

    private ArchiveFile Find(string path) => files.Find(path) ?? throw Invalid($"it lacks '{Text.Sanitize(path)}'");

    private async Task<byte[]> SmallAsync(ArchiveFile file, CancellationToken cancellationToken) =>
        file.Length <= OciJson.MaxConfigSize
            ? await file.ReadAsync(cancellationToken)
            : throw Invalid($"a document in it has more than {OciJson.MaxConfigSize} bytes");

    private ImagePublishException Invalid(string reason) =>
        new(DiagnosticCodes.ArchiveInvalid, $"'{files.Location}' is not a complete image: {reason}. Write it again.");
}
