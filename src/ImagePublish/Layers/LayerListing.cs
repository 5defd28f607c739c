using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>What one layer puts into an image or takes out of it, without the files' content; only that of a few small files is
/// kept.</summary>
internal sealed class LayerListing
{
    private const byte FormatVersion = 4;
    private const int MaxTextLength = 8 << 20;

    private readonly List<LayerEntryInfo> entries = [];
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

    private LayerListing(bool hasHashes = false) => HasHashes = hasHashes;

    public static LayerListing Empty { get; } = new(hasHashes: true);

    /// <summary>Whether each file has its hashes, and the lists of packages' files are kept.</summary>
    public bool HasHashes { get; }

    /// <summary>The layer's entries, whiteouts among them, in its order.</summary>
    public IReadOnlyList<LayerEntryInfo> Entries => entries;

    public IReadOnlyDictionary<string, string> Texts => texts;

    /// <exception cref="ImagePublishException"><c>IMG3005</c>: the layer is damaged.</exception>
    public static async Task<LayerListing> ReadAsync(Stream blob, LayerReaderOptions options, CancellationToken cancellationToken)
    {
        var listing = new LayerListing();
        var budget = options.Budget ?? LayerReader.NewBudget();
        await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
        {
            if (entry.Content is { } content)
                listing.entries.Add(
                    entry with
                    {
                        Content = null,
                        Fingerprint = await listing.KeepAsync(entry.Path, entry.Length, content, budget, cancellationToken),
                    }
                );
            else
                listing.entries.Add(entry);
        }

        return listing;
    }

    /// <summary>Lists a layer with the hashes of its files.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: the layer is damaged.</exception>
    public static async Task<LayerListing> ReadHashedAsync(Stream blob, LayerReaderOptions options, CancellationToken cancellationToken)
    {
        var listing = new LayerListing(hasHashes: true);
        var budget = options.Budget ?? LayerReader.NewBudget();
        await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
        {
            var hashes = entry switch
            {
                { Kind: not LayerEntryInfoKind.File } => null,
                { Content: { } content } => await listing.HashAsync(entry.Path, entry.Length, content, budget, cancellationToken),
                _ => FileHashes.OfNothing,
            };
            listing.entries.Add(entry with { Content = null, Hashes = hashes, Fingerprint = FingerprintOf(entry.Length, hashes) });
        }

        return listing;
    }

    /// <summary>Lists a layer that was made here, with the hashes of its files.</summary>
    /// <param name="hashes">One for each entry.</param>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a kept file can't be read, or changed since it was hashed.</exception>
    public static LayerListing Create(LayerInput content, IReadOnlyList<FileHashes?> hashes)
    {
        var listing = new LayerListing(hasHashes: true);
        for (var index = 0; index < content.Entries.Count; index++)
        {
            var entry = content.Entries[index];
            var length = entry.Content?.Length ?? 0;
            listing.entries.Add(
                InfoOf(entry) with
                {
                    Length = length,
                    Hashes = hashes[index],
                    Package = entry.Package,
                    Fingerprint = FingerprintOf(length, hashes[index]),
                }
            );
            if (entry.Content is { Length: > 0 and <= MaxTextLength } file && EncodingOf(entry.Path, hasHashes: true) is { } encoding)
                listing.texts[entry.Path] = encoding.GetString(ReadUnchanged(file, hashes[index]!));
        }

        return listing;
    }

    private static byte[] ReadUnchanged(FileContent file, FileHashes hashes)
    {
        var bytes = new byte[file.Length];
        using var stream = file.Open();
        DiskFiles.Guarded(file.Source, () =>
        {
            stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return true;
        });
        return SHA256.HashData(bytes).AsSpan().SequenceEqual(hashes.Sha256)
            ? bytes
            : throw DiskFiles.Changed(file.Source, "was written to");
    }

    /// <summary>Lists a layer that is made here. Its files are read; those of other images were read before.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read.</exception>
    public static async Task<LayerListing> OfAsync(LayerInput content, CancellationToken cancellationToken)
    {
        var listing = new LayerListing();
        foreach (var entry in content.Entries)
        {
            var known = entry.Content as FileInLayer;
            await using var stream = known is null ? entry.Content?.Open() : null;
            listing.entries.Add(
                InfoOf(entry) with
                {
                    Modified = entry.Modified,
                    Length = entry.Content?.Length ?? 0,
                    Fingerprint = stream is null
                        ? known?.Fingerprint ?? 0
                        : await listing.KeepAsync(entry.Path, entry.Content!.Length, stream, null, cancellationToken),
                }
            );
        }

        return listing;
    }

    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a kept file can't be read.</exception>
    public static LayerListing Create(LayerInput content)
    {
        var listing = new LayerListing();
        foreach (var entry in content.Entries)
        {
            listing.entries.Add(InfoOf(entry));
            if (
                entry.Content is not FileInLayer and { Length: <= MaxTextLength } file
                && EncodingOf(entry.Path, hasHashes: false) is { } encoding
            )
            {
                using var reader = new StreamReader(file.Open(), encoding, detectEncodingFromByteOrderMarks: false);
                listing.texts[entry.Path] = DiskFiles.Guarded(file.Source, reader.ReadToEnd);
            }
        }

        return listing;
    }

    public static LayerListing? TryRead(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new BrotliStream(new MemoryStream(bytes), CompressionMode.Decompress), Encoding.UTF8);
            return reader.ReadByte() == FormatVersion ? Read(reader) : null;
        }
        catch (Exception exception)
            when (exception
                    is InvalidDataException
                        or IOException
                        or FormatException
                        or ArgumentException
                        or InvalidOperationException
                        or OutOfMemoryException
            )
        {
            return null;
        }
    }

    public byte[] Write()
    {
        var memory = new MemoryStream();
        using (var writer = new BinaryWriter(new BrotliStream(memory, CompressionLevel.Fastest, leaveOpen: true), Encoding.UTF8))
        {
            writer.Write(FormatVersion);
            writer.Write(HasHashes);
            writer.Write7BitEncodedInt(entries.Count);
            foreach (var entry in entries)
                Write(writer, entry);
            writer.Write7BitEncodedInt(texts.Count);
            foreach (var (path, text) in texts)
            {
                writer.Write(path);
                writer.Write(text);
            }
        }

        return memory.ToArray();
    }

    internal void CountIn(ContentBudget budget)
    {
        foreach (var entry in entries)
        {
            budget.CountEntry(entry.Path);
            if (entry.LinkTarget is { } target)
                budget.CountLink(target);
        }

        budget.CountText(texts.Values.Sum(text => (long)text.Length));
    }

    // A file's text is kept where something depends on it; of all others only the fingerprint.
    private async Task<ulong> KeepAsync(
        string path,
        long length,
        Stream content,
        ContentBudget? budget,
        CancellationToken cancellationToken
    )
    {
        // A tar has no content to read for an empty file.
        if (length == 0)
            return 0;
        if (length > MaxTextLength || EncodingOf(path, hasHashes: false) is not { } encoding)
            return BinaryPrimitives.ReadUInt64BigEndian(await SHA256.HashDataAsync(content, cancellationToken));
        budget?.CountText(length);
        var bytes = new byte[length];
        await content.ReadExactlyAsync(bytes, cancellationToken);
        texts[path] = encoding.GetString(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(bytes));
    }

    private async Task<FileHashes> HashAsync(
        string path,
        long length,
        Stream content,
        ContentBudget budget,
        CancellationToken cancellationToken
    )
    {
        if (length > MaxTextLength || EncodingOf(path, hasHashes: true) is not { } encoding)
            return await FileHashes.ComputeAsync(content, cancellationToken);
        budget.CountText(length);
        var bytes = new byte[length];
        await content.ReadExactlyAsync(bytes, cancellationToken);
        texts[path] = encoding.GetString(bytes);
        return FileHashes.Compute(bytes);
    }

    private static ulong FingerprintOf(long length, FileHashes? hashes) =>
        length == 0 || hashes is null ? 0 : BinaryPrimitives.ReadUInt64BigEndian(hashes.Sha256);

    // Which package a file is from is asked only where its hashes are.
    private static Encoding? EncodingOf(string path, bool hasHashes) =>
        KeptFiles.EncodingOf(path) ?? (hasHashes ? KeptFiles.EncodingOfFileList(path) : null);

    private static LayerEntryInfo InfoOf(LayerEntry entry) =>
        new(entry.Path, KindOf(entry.Kind))
        {
            Mode = entry.Mode,
            Uid = entry.Uid,
            Gid = entry.Gid,
            LinkTarget = entry.LinkTarget,
        };

    private static LayerEntryInfoKind KindOf(LayerEntryKind kind) =>
        kind switch
        {
            LayerEntryKind.Directory => LayerEntryInfoKind.Directory,
            LayerEntryKind.SymbolicLink => LayerEntryInfoKind.SymbolicLink,
            LayerEntryKind.HardLink => LayerEntryInfoKind.HardLink,
            _ => LayerEntryInfoKind.File,
        };

    private static LayerListing Read(BinaryReader reader)
    {
        var listing = new LayerListing(reader.ReadBoolean());
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
            listing.entries.Add(ReadEntry(reader, listing.HasHashes));
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
            listing.texts[reader.ReadString()] = reader.ReadString();
        return listing;
    }

    private void Write(BinaryWriter writer, LayerEntryInfo entry)
    {
        writer.Write(entry.Path);
        writer.Write((byte)entry.Kind);
        writer.Write7BitEncodedInt((int)entry.Mode);
        writer.Write7BitEncodedInt(entry.Uid);
        writer.Write7BitEncodedInt(entry.Gid);
        writer.Write(entry.LinkTarget ?? "");
        writer.Write7BitEncodedInt64(entry.Length);
        writer.Write(entry.Fingerprint);
        if (!HasHashes)
            return;
        writer.Write(entry.Package ?? "");
        writer.Write(entry.Hashes is not null);
        writer.Write(entry.Hashes?.Sha1 ?? []);
        writer.Write(entry.Hashes?.Sha256 ?? []);
    }

    private static LayerEntryInfo ReadEntry(BinaryReader reader, bool hasHashes)
    {
        var entry = ReadEntry(reader);
        if (!hasHashes)
            return entry;
        return entry with
        {
            Package = reader.ReadString() is { Length: > 0 } package ? package : null,
            Hashes = reader.ReadBoolean()
                ? new FileHashes(reader.ReadBytes(FileHashes.Sha1Size), reader.ReadBytes(FileHashes.Sha256Size))
                : null,
        };
    }

    private static LayerEntryInfo ReadEntry(BinaryReader reader) =>
        new(reader.ReadString(), (LayerEntryInfoKind)reader.ReadByte())
        {
            Mode = (UnixFileMode)reader.Read7BitEncodedInt(),
            Uid = reader.Read7BitEncodedInt(),
            Gid = reader.Read7BitEncodedInt(),
            LinkTarget = reader.ReadString() is { Length: > 0 } target ? target : null,
            Length = reader.Read7BitEncodedInt64(),
            Fingerprint = reader.ReadUInt64(),
        };
}
