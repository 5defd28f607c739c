using System.Collections.Concurrent;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>
/// Reads files out of layers of other images. A layer is kept in the local store, so that it is downloaded once; the files that are wanted
/// of it are written into one temporary file, where the layers that are made of them find them.
/// </summary>
internal sealed class LayerFileReader(ImageStore store, IPublishLog log) : ILayerFiles, IAsyncDisposable
{
    private readonly ConcurrentDictionary<Digest, Layer> layers = new();
    private readonly ConcurrentDictionary<(Digest Layer, int Index), Place> places = new();
    private readonly ConcurrentBag<string> temporary = [];
    private readonly SemaphoreSlim gate = new(1, 1);

    private sealed record Place(string File, long Offset);

    /// <summary>Makes a file of a layer known, without reading it.</summary>
    public FileInLayer Add(Layer layer, int index, LayerEntryInfo entry)
    {
        layers.TryAdd(layer.DiffId, layer);
        return new FileInLayer(layer.DiffId, index, entry.Path, entry.Length) { Files = this, Fingerprint = entry.Fingerprint };
    }

    public async Task FetchAsync(IReadOnlyCollection<FileInLayer> files, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var missing = files.Where(file => !places.ContainsKey((file.Layer, file.Index))).DistinctBy(file => (file.Layer, file.Index));
            foreach (var layer in missing.GroupBy(file => file.Layer))
                await FetchAsync(layers[layer.Key], layer.ToDictionary(file => file.Index), cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    public Stream Open(FileInLayer file)
    {
        var (path, offset) = places[(file.Layer, file.Index)];
        return new SliceStream(OpenAt(path, offset), file.Length);
    }

    private static FileStream OpenAt(string path, long offset)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        stream.Position = offset;
        return stream;
    }

    /// <summary>The same for a reader that goes back and forth.</summary>
    public FileContent Seekable(FileInLayer file) => new SeekableFile(this, file);

    private sealed record SeekableFile(LayerFileReader Reader, FileInLayer File) : FileContent(File.Length)
    {
        public override string Source => File.Source;

        public override Stream Open()
        {
            var (path, offset) = Reader.places[(File.Layer, File.Index)];
            return new SeekableSlice(OpenAt(path, offset), Length);
        }
    }

    public ValueTask DisposeAsync()
    {
        gate.Dispose();
        foreach (var path in temporary)
            StoreDisk.Delete(path);
        return ValueTask.CompletedTask;
    }

    // What was read counts only once the whole layer has its diff id.
    private async Task FetchAsync(Layer layer, Dictionary<int, FileInLayer> wanted, CancellationToken cancellationToken)
    {
        var blob = await LoggedBlobSource.PutAsync(store, layer.Source!, log, cancellationToken);
        var (path, target) = store.Disk.CreateTemporary();
        temporary.Add(path);
        var found = new Dictionary<int, Place>();
        try
        {
            await using var content = await blob.OpenAsync(0, cancellationToken);
            await using (target)
            {
                var index = 0;
                var options = new LayerReaderOptions { DiffId = layer.DiffId };
                await foreach (var entry in LayerReader.ReadAsync(content, options, cancellationToken))
                {
                    if (wanted.TryGetValue(index, out var file))
                        found.Add(index, new Place(path, await CopyAsync(entry, file, target, cancellationToken)));
                    index++;
                }
            }
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw store.Disk.Refused(path, exception);
        }

        if (found.Count < wanted.Count)
            throw LayerReader.Invalid("it has fewer files than it had");
        foreach (var (index, place) in found)
            places[(layer.DiffId, index)] = place;
    }

    private static async Task<long> CopyAsync(LayerEntryInfo entry, FileInLayer file, Stream target, CancellationToken cancellationToken)
    {
        var offset = target.Position;
        if (entry.Content is { } content)
            await content.CopyToAsync(target, cancellationToken);
        return target.Position - offset == file.Length && entry.Path == file.Path
            ? offset
            : throw LayerReader.Invalid("it has other files than it had");
    }
}
