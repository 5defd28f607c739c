using System.Buffers;
using System.Formats.Tar;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>The files of a tar, by where they are in it. Nothing is extracted: names and links are only looked up, wherever they claim to
/// lead.</summary>
/// <remarks>
/// Only the headers of a tar are read. One that is compressed can only be read from its beginning, so it is inflated once, into a temporary
/// file that has no name and is gone with this object or with its process.
/// </remarks>
internal sealed class TarFiles : IArchiveFiles, IDisposable
{
    private const int MaxEntries = 1_000_000;
    private const int MaxLinks = 16;
    private const int HeaderBufferSize = 16 * 1024;
    private const int InflateBufferSize = 256 * 1024;

    private readonly ArchiveOptions options;
    private readonly FileStream? inflated;
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    private TarFiles(string location, Compression compression, FileStream? inflated, ArchiveOptions options)
    {
        Location = location;
        Budget = NewBudget(location);
        Compression = compression;
        this.inflated = inflated;
        this.options = options;
    }

    public string Location { get; }

    public ContentBudget Budget { get; }

    public Compression Compression { get; }

    /// <summary>Whether the tar is empty, which every file of zeros is too.</summary>
    public bool IsEmpty => entries.Count == 0;

    /// <exception cref="ImagePublishException"><c>IMG3106</c>: in a way that is not read here; <c>IMG3107</c>: it can't be
    /// read.</exception>
    public static Task<bool> IsCompressedAsync(string path, ArchiveOptions options, CancellationToken cancellationToken) =>
        GuardedAsync(path, async () =>
        {
            await using var file = options.OpenFile(path);
            return await DetectAsync(path, file, cancellationToken) != Compression.None;
        });

    /// <summary>Reads the tar's table of contents.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: it is no tar; <c>IMG3107</c>: it can't be read, or not be inflated;
    /// <c>IMG3111</c>: it inflates to too much.</exception>
    public static Task<TarFiles> ReadAsync(string path, ArchiveOptions options, CancellationToken cancellationToken) =>
        GuardedAsync(path, async () =>
        {
            await using var file = options.OpenFile(path);
            var compression = await DetectAsync(path, file, cancellationToken);
            var inflated = compression == Compression.None ? null : await InflateAsync(path, file, compression, options, cancellationToken);
            var files = new TarFiles(path, compression, inflated, options);
            try
            {
                files.Scan(inflated ?? file, cancellationToken);
                return files;
            }
            catch
            {
                files.Dispose();
                throw;
            }
        });

    public static ContentBudget NewBudget(string path) =>
        new(why => new ImagePublishException(DiagnosticCodes.ArchiveInvalid, $"'{path}' can't be read: {why}. Use another archive."))
        {
            MaxEntries = MaxEntries,
        };

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

    public Stream OpenTar() => Open(0, inflated?.Length ?? new FileInfo(Location).Length);

    public Stream OpenFile() => options.OpenFile(Location);

    public void Dispose() => inflated?.Dispose();

    /// <summary>A compression as layers may have it; null for one that they may not.</summary>
    public static Compression? LayerCompressionOf(CompressionFormat format) =>
        format switch
        {
            CompressionFormat.None => Compression.None,
            CompressionFormat.Gzip => Compression.Gzip,
            CompressionFormat.Zstd => Compression.Zstd,
            _ => null,
        };

    private static CompressionFormat FormatOf(Compression compression) =>
        compression switch
        {
            Compression.Gzip => CompressionFormat.Gzip,
            Compression.Zstd => CompressionFormat.Zstd,
            Compression.None => CompressionFormat.None,
            _ => throw new NotSupportedException($"Nothing reads layers with {compression}."),
        };

    private static async Task<T> GuardedAsync<T>(string path, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveInvalid,
                $"'{path}' is not a tar archive, or is cut short: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveFailed,
                $"The archive '{path}' can't be read: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    private static async Task<Compression> DetectAsync(string path, Stream file, CancellationToken cancellationToken)
    {
        var format = await CompressedStream.DetectAsync(file, cancellationToken);
        file.Position = 0;
        return LayerCompressionOf(format)
            ?? throw new ImagePublishException(
                DiagnosticCodes.ArchiveInvalid,
                $"'{path}' is compressed with xz or bzip2, which is not read here. Uncompress it first, or compress it with gzip or zstd."
            );
    }

    private static async Task<FileStream> InflateAsync(
        string path,
        Stream compressed,
        Compression compression,
        ArchiveOptions options,
        CancellationToken cancellationToken
    )
    {
        var limit = Math.Min(options.MaxLength, Math.Max(options.FreeLength, compressed.Length * options.MaxRatio));
        var file = Written(path, options, options.CreateTemporaryFile);
        var buffer = ArrayPool<byte>.Shared.Rent(InflateBufferSize);
        try
        {
            await using var content = CompressedStream.Open(compressed, FormatOf(compression));
            for (int read; (read = await content.ReadAsync(buffer.AsMemory(0, InflateBufferSize), cancellationToken)) > 0; )
            {
                if (file.Position + read > limit)
                    throw TooLarge(path, limit);
                Written(path, options, () =>
                {
                    file.Write(buffer, 0, read);
                    return true;
                });
            }

            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static ImagePublishException TooLarge(string path, long limit) =>
        new(
            DiagnosticCodes.ArchiveTooLarge,
            $"The archive '{path}' inflates to more than {limit} bytes, as decompression bombs do. Use another archive, or "
                + "uncompress this one if you trust it."
        );

    private static T Written<T>(string path, ArchiveOptions options, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveFailed,
                $"The archive '{path}' can't be inflated in '{options.TemporaryFolder}': "
                    + $"{Text.Sanitize(exception.Message)} Free some space, check the folder's permissions, or uncompress the archive.",
                exception
            );
        }
    }

    // '.' and '..' resolved; null for a path that leaves the archive.
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

    // Not awaited: a header is read sooner than a thread is changed for it, and there may be many.
    private void Scan(Stream content, CancellationToken cancellationToken)
    {
        content.Position = 0;
        var length = content.Length;
        var buffered = new BufferedStream(content, HeaderBufferSize);
        using var tar = new BudgetedTarReader(buffered, Budget);
        while (tar.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Normalize(entry.Name) is not { } name || name.Length == 0)
                continue;
            var isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile;
            var isLink = entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink;
            // Content is skipped by seeking, which works beyond the end, too.
            if (isFile && entry.Length > length - entry.DataOffset)
                throw new InvalidDataException($"'{Text.Sanitize(entry.Name)}' is not all there.");
            if (isFile || isLink)
                entries[name] = new Entry(
                    entry.DataOffset,
                    isFile ? entry.Length : 0,
                    isLink ? entry.LinkName : null,
                    entry.EntryType == TarEntryType.HardLink
                );
        }
    }

    private SliceStream Open(long start, long length)
    {
        if (inflated is not null)
            return new SliceStream(new InflatedStream(this, start), length);
        var file = options.OpenFile(Location);
        try
        {
            file.Position = start;
            return new SliceStream(file, length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private sealed record Entry(long Offset, long Length, string? Link, bool IsHardLink);

    private sealed class TarFile(TarFiles files, Entry entry) : ArchiveFile(entry.Length)
    {
        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(files.Open(entry.Offset + offset, entry.Length - offset));
    }

    // Readers do not share a position. They keep the files, and so the temporary one, from being collected.
    private sealed class InflatedStream(TarFiles files, long start) : ReadOnlyStream
    {
        private long position = start;

        public override int Read(Span<byte> buffer)
        {
            var count = RandomAccess.Read(files.inflated!.SafeFileHandle, buffer, position);
            position += count;
            return count;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await RandomAccess.ReadAsync(files.inflated!.SafeFileHandle, buffer, position, cancellationToken);
            position += count;
            return count;
        }
    }
}

internal sealed record ArchiveOptions
{
    public string TemporaryFolder { get; init; } = Path.GetTempPath();

    public long MaxLength { get; init; } = 64L << 30;

    /// <summary>How many times larger than the archive its content may be, once it is larger than <see cref="FreeLength"/>.</summary>
    public int MaxRatio { get; init; } = 200;

    public long FreeLength { get; init; } = 256L << 20;

    public Func<string, Stream> OpenFile { get; init; } =
        path => new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read | FileShare.Delete,
            bufferSize: 1,
            FileOptions.Asynchronous
        );

    /// <summary>Creates the file that an archive is inflated to; tests fill the disk here.</summary>
    public Func<string, FileStream> CreateTemporary { get; init; } = CreateOwnFile;

    public FileStream CreateTemporaryFile()
    {
        PrivateFiles.CreateFolder(TemporaryFolder);
        return CreateTemporary(Path.Combine(TemporaryFolder, Guid.NewGuid().ToString("N")));
    }

    // Nobody else may read what a registry may keep secret, and a process that is killed leaves nothing behind: on Windows the system
    // deletes the file, elsewhere its name is gone at once.
    private static FileStream CreateOwnFile(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }
}
