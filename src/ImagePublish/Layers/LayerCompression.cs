using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Layers;

/// <param name="Level">Its level: 0 to 9, zlib's, for gzip; 1 to 22 for zstd; null for the default.</param>
/// <exception cref="ImagePublishException"><c>IMG1007</c>: there is no such level.</exception>
internal sealed record LayerCompression(Compression Compression, int? Level)
{
    private const int BigEndianGzipLevel = 6;

    /// <summary>The algorithm's level: 0 to 9, zlib's, for gzip; 1 to 22 for zstd; null for the default.</summary>
    public int? Level { get; } = Checked(Compression, Level);

    /// <summary>Identifies everything that decides a blob's bytes besides its tar. Two machines with equal keys compress alike; with gzip
    /// of a given level, another zlib or processor family may make other bytes, and with them another digest of a layer with the same diff
    /// id. So a cache of compressed layers asks for the diff id and this key.</summary>
    public string Key =>
        Compression switch
        {
            Compression.Gzip => GzipEncoding.Key(GzipLevel),
            Compression.Zstd => ZstdEncoding.Key(ZstdLevel),
            Compression.None => "none",
            _ => throw Unknown(Compression),
        };

    private int ZstdLevel => Level ?? ZstdEncoding.DefaultLevel;

    // Our own deflate reads bytes as little-endian numbers, like nearly every machine.
    private int? GzipLevel => Level ?? (BitConverter.IsLittleEndian ? null : BigEndianGzipLevel);

    public override string ToString() =>
        Level is null ? Name(Compression) : string.Create(CultureInfo.InvariantCulture, $"{Name(Compression)}:{Level}");

    internal ILayerEncoding CreateEncoding() =>
        Compression switch
        {
            Compression.Gzip => new GzipEncoding(GzipLevel),
            Compression.Zstd => new ZstdEncoding(ZstdLevel),
            Compression.None => new PlainEncoding(),
            _ => throw Unknown(Compression),
        };

    // A new algorithm must not be taken for none: its layers would be written plain, and found again by that name.
    private static NotSupportedException Unknown(Compression compression) => new($"Nothing compresses with {compression}.");

    private static int? Checked(Compression compression, int? level)
    {
        var (min, max) = compression switch
        {
            Compression.Gzip => (0, 9),
            Compression.Zstd => (1, 22),
            _ => (int.MinValue, int.MaxValue),
        };
        return level is null || (level >= min && level <= max)
            ? level
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"ImageCompressionLevel is {level}; {Name(compression)} has the levels {min} to {max}."
                )
            );
    }

    private static string Name(Compression compression) => compression.ToString().ToLowerInvariant();
}
