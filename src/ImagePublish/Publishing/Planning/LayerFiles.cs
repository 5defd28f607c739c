using System.IO.Pipelines;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Planning;

/// <summary>All that a layer says of a file or link.</summary>
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

/// <summary>The files of layers, with what tells whether they are the same.</summary>
internal static class LayerFiles
{
    /// <summary>The files of a layer's blob, wherever it is.</summary>
    public static async Task<Dictionary<string, FileState>> ReadAsync(BlobSource source, Digest diffId, CancellationToken cancellationToken)
    {
        await using var blob = await source.OpenAsync(0, cancellationToken);
        return await ReadAsync(blob, new LayerReaderOptions { DiffId = diffId }, cancellationToken);
    }

    /// <summary>The files of a layer that is not built: its tar is read as it would be written.</summary>
    public static async Task<Dictionary<string, FileState>> ReadAsync(LayerInput content, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        var writing = Task.Run(() => WriteAsync(content, pipe.Writer, cancellationToken), cancellationToken);
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
        catch (Exception exception) when (Keep(exception))
        {
            throw;
        }
        finally
        {
            await writer.CompleteAsync(failure);
        }

        // The reader is told, too: it must not wait for what does not come.
        bool Keep(Exception exception)
        {
            failure = exception;
            return true;
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
