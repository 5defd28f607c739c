using System.IO.Pipelines;
using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Explain;

/// <summary>Compares the layers above the base, by name; the files of those that differ are read, and nothing else is.</summary>
internal sealed class LayerComparer(ImageStore store)
{
    public async Task<IReadOnlyList<LayerChange>> CompareAsync(Image current, PublishRun run, CancellationToken cancellationToken)
    {
        var old = Above(current, run);
        var changes = new List<LayerChange>();
        foreach (var (content, layer) in run.Contents.Zip(run.Result.Image.Layers.Skip(run.Base.Layers.Count)))
        {
            if (!old.Remove(content.Name, out var before))
                changes.Add(new LayerChange(content.Name, ChangeKind.Added, []));
            else if (before.DiffId == layer.DiffId)
                changes.Add(new LayerChange(content.Name, ChangeKind.Same, []));
            else
            {
                var files = await CompareAsync(before, layer, content, cancellationToken);
                changes.Add(new LayerChange(content.Name, ChangeKind.Changed, files));
            }
        }

        return [.. CompareTaken(current, run), .. changes, .. old.Keys.Select(name => new LayerChange(name, ChangeKind.Removed, []))];
    }

    // Layers that were taken whole from other images: there they are compared, by whoever makes those.
    private static IEnumerable<LayerChange> CompareTaken(Image current, PublishRun run)
    {
        var old = ImageComposer.TakenLayers(current.Config);
        var taken = run.Base.TakenLayers;
        var now = taken.Zip(run.Base.Layers.TakeLast(taken.Count), (image, layer) => (Image: image, layer.DiffId)).ToList();
        var kept = now.Select(layer => new LayerChange(layer.Image, old.Contains(layer) ? ChangeKind.Same : ChangeKind.Added, []));
        return kept.Concat(old.Except(now).Select(layer => new LayerChange(layer.Image, ChangeKind.Removed, [])));
    }

    // An image without history was made on a base without one: its upper layers are known by their position, if some layer is the same.
    private static Dictionary<string, Layer> Above(Image current, PublishRun run)
    {
        var known = ImageComposer.LayerNames(current.Config).Zip(current.Layers).Where(one => one.First is not null).ToList();
        if (known.Count == 0 && IsAlike(current, run))
        {
            var names = run.Contents.Select(content => content.Name);
            known = [.. names.Zip<string?, Layer>(current.Layers.TakeLast(run.Contents.Count))];
        }

        return known.DistinctBy(one => one.First).ToDictionary(one => one.First!, one => one.Second);
    }

    private static bool IsAlike(Image current, PublishRun run)
    {
        var (old, now) = (current.Config.RootFs.DiffIds, run.Result.Image.Config.RootFs.DiffIds);
        return old.Count == now.Count && old.Zip(now).Any(one => one.First == one.Second);
    }

    private async Task<IReadOnlyList<FileChange>> CompareAsync(
        Layer before,
        Layer after,
        LayerInput content,
        CancellationToken cancellationToken
    )
    {
        var old = await ReadAsync(before, cancellationToken);
        // A layer of packages that was known has no files at hand: they are read from its blob.
        var now = content.Entries.Count == 0 ? await ReadAsync(after, cancellationToken) : await ReadAsync(content, cancellationToken);
        return
        [
            .. old
                .Keys.Union(now.Keys)
                .Order(StringComparer.Ordinal)
                .Select(path => Change(path, old.GetValueOrDefault(path), now.GetValueOrDefault(path)))
                .Where(change => change.Kind != ChangeKind.Same),
        ];
    }

    private Task<Dictionary<string, FileState>> ReadAsync(Layer layer, CancellationToken cancellationToken) =>
        LayerFiles.ReadAsync(
            store.FindBlob(layer.Descriptor) ?? layer.Source!,
            new LayerReaderOptions { DiffId = layer.DiffId },
            cancellationToken
        );

    private static async Task<Dictionary<string, FileState>> ReadAsync(LayerInput content, CancellationToken cancellationToken)
    {
        await content.FetchFilesAsync(cancellationToken);
        return await LayerFiles.ReadAsync(content, cancellationToken);
    }

    private static FileChange Change(string path, FileState? before, FileState? after) =>
        new(
            path,
            before is null ? ChangeKind.Added
                : after is null ? ChangeKind.Removed
                : before == after ? ChangeKind.Same
                : ChangeKind.Changed,
            before?.Length,
            after?.Length
        );
}

/// <summary>A file or link of a layer, with everything that its tar has of it.</summary>
internal sealed record FileState(
    LayerEntryInfoKind Kind,
    UnixFileMode Mode,
    int Uid,
    int Gid,
    DateTimeOffset Modified,
    long Length,
    string? LinkTarget,
    Digest? Content
);

/// <summary>Reads the files of layers, to compare them.</summary>
internal static class LayerFiles
{
    public static async Task<Dictionary<string, FileState>> ReadAsync(
        BlobSource source,
        LayerReaderOptions options,
        CancellationToken cancellationToken
    )
    {
        await using var blob = await source.OpenAsync(0, cancellationToken);
        return await ReadAsync(blob, options, cancellationToken);
    }

    /// <summary>The files of a layer that is not built: its tar is read as it would be written.</summary>
    public static async Task<Dictionary<string, FileState>> ReadAsync(LayerInput content, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        await using var tasks = new TaskScope(cancellationToken);
        var writing = tasks.Run(token => WriteAsync(content, pipe.Writer, token));
        await using var tar = pipe.Reader.AsStream();
        var files = await ReadAsync(tar, new LayerReaderOptions { MaxLength = long.MaxValue }, cancellationToken);
        await writing;
        return files;
    }

    private static async Task WriteAsync(LayerInput content, PipeWriter writer, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            await LayerTar.WriteAsync(content, writer.AsStream(leaveOpen: true), cancellationToken);
        }
        catch (Exception exception)
        {
            failure = exception;
            throw;
        }
        finally
        {
            // The reader fails too, rather than wait for what does not come.
            await writer.CompleteAsync(failure);
        }
    }

    private static async Task<Dictionary<string, FileState>> ReadAsync(
        Stream blob,
        LayerReaderOptions options,
        CancellationToken cancellationToken
    )
    {
        var files = new Dictionary<string, FileState>(StringComparer.Ordinal);
        await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
        {
            if (entry.Kind == LayerEntryInfoKind.Directory)
                continue;
            var content = entry.Content is { } stream ? await Digest.ComputeAsync(stream, cancellationToken) : null;
            files[entry.Path] = new FileState(
                entry.Kind,
                entry.Mode,
                entry.Uid,
                entry.Gid,
                entry.Modified,
                entry.Length,
                entry.LinkTarget,
                content
            );
        }

        return files;
    }
}
