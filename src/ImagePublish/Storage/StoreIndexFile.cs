using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>A store's <c>index.json</c>: read whole without a lock, changed under the lock and replaced in one move.</summary>
internal sealed class StoreIndexFile(StoreDisk disk)
{
    private const int MaxSize = 64 * 1024 * 1024;

    /// <summary>Reads the list. A store that no image was ever put into has an empty one.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: it is malformed; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<ImageIndex> ReadAsync(CancellationToken cancellationToken)
    {
        var path = disk.Layout.IndexFile;
        try
        {
            return OciJson.ReadIndex(await ReadBytesAsync(cancellationToken));
        }
        catch (FileNotFoundException)
        {
            return new ImageIndex([]) { MediaType = MediaTypes.OciIndex };
        }
        catch (JsonException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{path}' is not a list of images: {Text.Sanitize(exception.Message)}. Run the target PruneImages with "
                    + "-p:ImageRepair=true; it keeps what can be read.",
                exception
            );
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(path, exception);
        }
    }

    public async Task WriteAsync(ImageIndex index, CancellationToken cancellationToken) =>
        // The list can't be rebuilt, so it is flushed to the disk. Blobs are not: one that a power failure cut short fails its size or
        // digest.
        await disk.WriteAsync(disk.Layout.IndexFile, OciJson.Write(index), durable: true, cancellationToken);

    public async Task<byte[]> ReadBytesAsync(CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            disk.Layout.IndexFile,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            FileOptions.Asynchronous
        );
        if (file.Length > MaxSize)
            throw new JsonException($"it has more than {MaxSize} bytes");
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }
}
