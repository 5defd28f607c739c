using System.Formats.Tar;
using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>The files of a tar, by where they lie in it. Nothing is extracted: names and links are only looked up, wherever they claim to lead.</summary>
internal sealed class TarFiles : IArchiveFiles
{
    private const int MaxEntries = 1_000_000;
    private const int MaxLinks = 16;

    private readonly Compression compression;
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    private TarFiles(string location, Compression compression) => (Location, this.compression) = (location, compression);

    /// <inheritdoc/>
    public string Location { get; }

    /// <summary>Whether the tar is empty, which every file of zeros is too.</summary>
    public bool IsEmpty => entries.Count == 0;

    /// <summary>Reads the tar's table of contents.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: it is no tar; <c>IMG3107</c>: it can't be read.</exception>
    public static async Task<TarFiles> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var file = new FolderFiles.DiskFile(new FileInfo(path));
            var compression = await CompressedFile.DetectAsync(file, cancellationToken)
                ?? throw new ImagePublishException(DiagnosticCodes.ArchiveInvalid, $"'{path}' is compressed with xz or bzip2, which is not read here. Uncompress it first, or compress it with gzip or zstd.");
            var files = new TarFiles(path, compression);
            await files.ScanAsync(file, cancellationToken);
            return files;
        }
        catch (Exception exception) when (IsMalformed(exception))
        {
            throw new ImagePublishException(DiagnosticCodes.ArchiveInvalid, $"'{path}' is not a tar archive, or is cut short: {Text.Shown(exception.Message)}", exception);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(DiagnosticCodes.ArchiveFailed, $"The archive '{path}' can not be read: {Text.Shown(exception.Message)}", exception);
        }
    }

    /// <summary>Whether an exception says that content is not what it should be.</summary>
    public static bool IsMalformed(Exception exception) =>
        exception is InvalidDataException or FormatException or EndOfStreamException or ArgumentException or OverflowException or NotSupportedException or ZstdSharp.ZstdException;

    /// <inheritdoc/>
    public ArchiveFile? Find(string path)
    {
        var name = Normalize(path);
        for (var links = 0; links < MaxLinks && name is not null && entries.TryGetValue(name, out var entry); links++)
        {
            if (entry.Link is null)
                return new TarFile(this, entry);
            name = entry.IsHardLink ? Normalize(entry.Link) : Normalize($"{name[..(name.LastIndexOf('/') + 1)]}{entry.Link}");
        }

        return null;
    }

    // '.' and '..' taken away; null for a path that leaves the archive.
    private static string? Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count == 0)
                return null;
            if (part == "..")
                parts.RemoveAt(parts.Count - 1);
            else if (part != ".")
                parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private async Task ScanAsync(ArchiveFile file, CancellationToken cancellationToken)
    {
        await using var content = new PositionStream(CompressedFile.Decompress(await file.OpenAsync(0, cancellationToken), compression));
        await using var tar = new TarReader(content, leaveOpen: true);
        for (var count = 0; await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry; count++)
        {
            if (count == MaxEntries)
                throw new InvalidDataException($"It has more than {MaxEntries} entries.");
            if (Normalize(entry.Name) is not { } name || name.Length == 0)
                continue;
            var isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile;
            var isLink = entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink;
            if (!isFile && !isLink)
                continue;
            var offset = content.Position;

            // Reading a compressed archive again for each file would take time squared: what all of them need is noted in the one pass.
            var digest = isFile && compression != Compression.None && entry.DataStream is { } data ? Digest.FromSha256(await SHA256.HashDataAsync(data, cancellationToken)) : null;
            entries[name] = new Entry(offset, isFile ? entry.Length : 0, isLink ? entry.LinkName : null, entry.EntryType == TarEntryType.HardLink, digest);
        }
    }

    private async ValueTask<Stream> OpenAsync(Entry entry, long offset, CancellationToken cancellationToken)
    {
        var start = entry.Offset + offset;
        var file = await new FolderFiles.DiskFile(new FileInfo(Location)).OpenAsync(compression == Compression.None ? start : 0, cancellationToken);
        if (compression == Compression.None)
            return new SliceStream(file, entry.Length - offset);
        var content = CompressedFile.Decompress(file, compression);
        await new SliceStream(content, start).CopyToAsync(Stream.Null, cancellationToken);
        return new SliceStream(content, entry.Length - offset);
    }

    private sealed record Entry(long Offset, long Length, string? Link, bool IsHardLink, Digest? Digest);

    private sealed class TarFile(TarFiles files, Entry entry) : ArchiveFile(entry.Length)
    {
        /// <inheritdoc/>
        public override Digest? KnownDigest => entry.Digest;

        /// <inheritdoc/>
        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) => files.OpenAsync(entry, offset, cancellationToken);
    }
}
