using System.Buffers;

namespace ImagePublish.Layers;

/// <summary>A piece of a layer's tar in the pipeline, with the memory it needs. Used again and again.</summary>
internal sealed class Block(int window, int size, IBlockEncoder? encoder) : IDisposable
{
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(window + size);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Input => buffer.AsMemory(window, Length);

    public ReadOnlyMemory<byte> WindowAndInput => buffer.AsMemory(0, window + Length);

    public int History { get; private set; }

    public Span<byte> Free => buffer.AsSpan(window + Length, size - Length);

    /// <summary>The encoder that belongs to this block, and holds its result.</summary>
    public IBlockEncoder? Encoder => encoder;

    public Task<ReadOnlyMemory<byte>>? Encoded { get; private set; }

    public void Advance(int count) => Length += count;

    public void Reset() => (Length, History, Encoded) = (0, 0, null);

    public void Precede(ReadOnlySpan<byte> history)
    {
        History = history.Length;
        history.CopyTo(buffer.AsSpan(window - History));
    }

    public void Encode(CancellationToken cancellationToken) =>
        Encoded = encoder is null ? Task.FromResult(Input) : Task.Run(() => encoder.Encode(this), cancellationToken);

    public void Dispose()
    {
        encoder?.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
