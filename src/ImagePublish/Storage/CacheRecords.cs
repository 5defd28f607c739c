using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>Small records under keys, one file each, that are cheap to lose: what is missing, damaged or unreadable is simply not
/// there.</summary>
/// <remarks>
/// A file begins with a MAC of its kind, key and content under a key that is not in the store, so a record that was cut short, put under
/// another key or written by somebody else is never believed. Each user's records are in a folder of their own: those who share a store do
/// not overwrite each other's.
/// </remarks>
internal sealed class CacheRecords
{
    /// <summary>The usual limit of a record's length.</summary>
    public const int MaxSize = 64 * 1024;

    private static readonly TimeSpan TouchAfter = TimeSpan.FromHours(1);

    private readonly StoreDisk disk;
    private readonly Lazy<StoreKey> key;

    internal CacheRecords(StoreDisk disk)
    {
        this.disk = disk;
        key = new Lazy<StoreKey>(disk.Options.Key);
    }

    internal StoreKey Key => key.Value;

    public Task<byte[]?> ReadAsync(string kind, Digest key, CancellationToken cancellationToken, int maxSize = MaxSize) =>
        cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<byte[]?>(cancellationToken)
            : Task.FromResult(Read(kind, key, maxSize));

    // A small file is read sooner than a thread is changed for it.
    private byte[]? Read(string kind, Digest key, int maxSize)
    {
        var path = PathOf(kind, key);
        try
        {
            var file = new FileInfo(path);
            if (
                !file.Exists
                || file.LinkTarget is not null
                || file.Length < SHA256.HashSizeInBytes
                || file.Length > maxSize + SHA256.HashSizeInBytes
            )
                return null;
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length < SHA256.HashSizeInBytes)
                return null;
            var content = bytes[SHA256.HashSizeInBytes..];
            if (!CryptographicOperations.FixedTimeEquals(bytes.AsSpan(0, SHA256.HashSizeInBytes), Key.Seal(kind, key, content)))
                return null;
            if (disk.Now - file.LastWriteTimeUtc > TouchAfter)
                disk.Touch(path);
            return content;
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            return null;
        }
    }

    /// <summary>Writes a record over one that is there.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public async Task WriteAsync(
        string kind,
        Digest key,
        ReadOnlyMemory<byte> content,
        CancellationToken cancellationToken,
        int maxSize = MaxSize
    )
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, maxSize);
        byte[] bytes = [.. Key.Seal(kind, key, content.Span), .. content.Span];
        await disk.WriteAsync(PathOf(kind, key), bytes, durable: false, cancellationToken);
        disk.Touch(PathOf(kind, key));
    }

    /// <summary>Writes a record unless it is longer than usual.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public Task WriteIfSmallAsync(string kind, Digest key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        content.Length <= MaxSize ? WriteAsync(kind, key, content, cancellationToken) : Task.CompletedTask;

    public bool IsEmpty(string kind)
    {
        var folder = FolderOf(kind);
        try
        {
            return !Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            return true;
        }
    }

    public void Remove(string kind, Digest key) => StoreDisk.Delete(PathOf(kind, key));

    private string PathOf(string kind, Digest key) => Path.Combine(FolderOf(kind), key.Hex[..2], key.Hex);

    private string FolderOf(string kind) => Path.Combine(disk.Layout.RecordsFolder, Key.Id, kind);
}
