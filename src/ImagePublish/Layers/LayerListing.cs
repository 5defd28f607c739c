using System.IO.Compression;
using System.Text;
using ImagePublish.Diagnostics;

namespace ImagePublish.Layers;

/// <summary>What one layer puts into an image or takes out of it, without the files' content; only that of a few small files is kept.</summary>
public sealed class LayerListing
{
    private const byte FormatVersion = 2;
    private const int MaxTextLength = 8 << 20;

    private readonly List<LayerEntryInfo> entries = [];
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

    private LayerListing()
    {
    }

    /// <summary>The layer's entries, whiteouts among them, in its order.</summary>
    public IReadOnlyList<LayerEntryInfo> Entries => entries;

    /// <summary>The content of <see cref="KeptFiles"/>.</summary>
    public IReadOnlyDictionary<string, string> Texts => texts;

    /// <summary>Reads a layer as it streams by.</summary>
    /// <param name="blob">The layer's blob. It is not disposed.</param>
    /// <param name="options">How far it is trusted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The listing.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3005</c>: the layer is damaged.</exception>
    public static async Task<LayerListing> ReadAsync(Stream blob, LayerReaderOptions options, CancellationToken cancellationToken)
    {
        var listing = new LayerListing();
        await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
        {
            if (entry.Content is { } content && KeptFiles.EncodingOf(entry.Path) is { } encoding && entry.Length <= MaxTextLength)
            {
                using var reader = new StreamReader(content, encoding, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
                listing.texts[entry.Path] = await reader.ReadToEndAsync(cancellationToken);
            }

            listing.entries.Add(entry with { Content = null });
        }

        return listing;
    }

    /// <summary>Reads a listing that was written before.</summary>
    /// <param name="bytes">What was written.</param>
    /// <returns>The listing, or null when it is of another version or damaged.</returns>
    public static LayerListing? TryRead(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new BrotliStream(new MemoryStream(bytes), CompressionMode.Decompress), Encoding.UTF8);
            return reader.ReadByte() == FormatVersion ? Read(reader) : null;
        }
        catch (Exception exception) when (LayerReader.IsDamage(exception) || exception is InvalidOperationException or IOException)
        {
            return null;
        }
    }

    /// <summary>Writes the listing in a compact form that <see cref="TryRead"/> reads.</summary>
    /// <returns>The bytes.</returns>
    public byte[] Write()
    {
        var memory = new MemoryStream();
        using (var writer = new BinaryWriter(new BrotliStream(memory, CompressionLevel.Fastest, leaveOpen: true), Encoding.UTF8))
        {
            writer.Write(FormatVersion);
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

    private static LayerListing Read(BinaryReader reader)
    {
        var listing = new LayerListing();
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
            listing.entries.Add(ReadEntry(reader));
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
            listing.texts[reader.ReadString()] = reader.ReadString();
        return listing;
    }

    private static void Write(BinaryWriter writer, LayerEntryInfo entry)
    {
        writer.Write(entry.Path);
        writer.Write((byte)entry.Kind);
        writer.Write7BitEncodedInt((int)entry.Mode);
        writer.Write7BitEncodedInt(entry.Uid);
        writer.Write7BitEncodedInt(entry.Gid);
        writer.Write(entry.LinkTarget ?? "");
    }

    private static LayerEntryInfo ReadEntry(BinaryReader reader) => new(reader.ReadString(), (LayerEntryInfoKind)reader.ReadByte())
    {
        Mode = (UnixFileMode)reader.Read7BitEncodedInt(),
        Uid = reader.Read7BitEncodedInt(),
        Gid = reader.Read7BitEncodedInt(),
        LinkTarget = reader.ReadString() is { Length: > 0 } target ? target : null,
    };
}
