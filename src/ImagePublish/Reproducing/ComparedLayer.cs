using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;
using ImagePublish.Storage;

namespace ImagePublish.Reproducing;

/// <summary>A layer above the base: of the image that was named, or of the one that was built.</summary>
/// <param name="Content">The files of a layer that was built; null where only its blob is at hand.</param>
internal sealed record ComparedLayer(string Name, Layer Layer, LayerInput? Content)
{
    private const long MaxFile = 32L << 20;

    /// <summary>Why its files can't be read, as a clause; null where they can be.</summary>
    public string? Unreadable =>
        Layer.Descriptor.MediaType.EndsWith("+encrypted", StringComparison.Ordinal) ? "is encrypted"
        : Layer.Source is null && Content is null ? "is a foreign layer, which its registry does not have"
        : null;

    public async Task<Dictionary<string, FileState>> ListAsync(
        ImageStore store,
        LayerReaderOptions options,
        CancellationToken cancellationToken
    )
    {
        if (Content is null)
            return await LayerFiles.ReadAsync(BlobIn(store), options with { DiffId = Layer.DiffId }, cancellationToken);
        await Content.FetchFilesAsync(cancellationToken);
        return await LayerFiles.ReadAsync(Content, cancellationToken);
    }

    /// <summary>Reads files whole, as far as they are not too large, and as long as there is memory for them.</summary>
    public async Task<Dictionary<string, byte[]>> ReadAsync(
        ImageStore store,
        IReadOnlySet<string> paths,
        MemoryLimit limit,
        CancellationToken cancellationToken
    )
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (Content is not null)
        {
            foreach (var entry in Content.Entries.Where(entry => entry.Content is not null && paths.Contains(entry.Path)))
            {
                await using var stream = entry.Content!.Open();
                await KeepAsync(entry.Path, stream, entry.Content.Length);
            }

            return files;
        }

        await using var blob = await BlobIn(store).OpenAsync(0, cancellationToken);
        var options = new LayerReaderOptions { DiffId = Layer.DiffId, Budget = LayerReader.NewBudget() };
        await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
        {
            if (entry.Content is { } content && paths.Contains(entry.Path))
                await KeepAsync(entry.Path, content, entry.Length);
        }

        return files;

        async Task KeepAsync(string path, Stream stream, long length)
        {
            if (length > MaxFile || !limit.TryTake(length))
                return;
            var bytes = new byte[length];
            await stream.ReadExactlyAsync(bytes, cancellationToken);
            files[path] = bytes;
        }
    }

    private BlobSource BlobIn(ImageStore store) => store.FindBlob(Layer.Descriptor) ?? Layer.Source!;
}

/// <summary>How many bytes of files are kept at a time.</summary>
internal sealed class MemoryLimit(long bytes)
{
    private long left = bytes;

    public bool TryTake(long length)
    {
        if (length > left)
            return false;
        left -= length;
        return true;
    }
}
