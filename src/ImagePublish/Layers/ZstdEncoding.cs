using System.Globalization;
using ZstdSharp;

namespace ImagePublish.Layers;

/// <summary>Zstandard by a managed port, in frames that are compressed side by side: the same bytes on every machine.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc8878">RFC 8878</see>: a blob may consist of several frames.</remarks>
internal sealed class ZstdEncoding(int level) : ILayerEncoding
{
    public const int DefaultLevel = 3;

    /// <summary>The window of the default level: with the tars of apps, frames of 2 MiB come out within half a percent of larger ones, in
    /// half the memory.</summary>
    public const int DefaultBlockSize = 2 << 20;

    /// <summary>Everything that decides the bytes besides the tar.</summary>
    public static string Key(int level) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"zstd-{level}-{DefaultBlockSize}-zstdsharp{typeof(Compressor).Assembly.GetName().Version}"
        );

    public int BlockSize => DefaultBlockSize;

    public ReadOnlyMemory<byte> Start => default;

    public IBlockEncoder? CreateBlockEncoder() => new Encoder(level);

    public void Add(Block block) { }

    public ReadOnlyMemory<byte> End() => default;

    private sealed class Encoder(int level) : IBlockEncoder
    {
        private readonly Compressor compressor = new(level);
        private readonly byte[] output = System.Buffers.ArrayPool<byte>.Shared.Rent(Compressor.GetCompressBound(DefaultBlockSize));

        public ReadOnlyMemory<byte> Encode(Block block) => output.AsMemory(0, compressor.Wrap(block.Input.Span, output));

        public void Dispose()
        {
            compressor.Dispose();
            System.Buffers.ArrayPool<byte>.Shared.Return(output);
        }
    }
}
