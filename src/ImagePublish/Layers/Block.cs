using System.Buffers;

namespace ImagePublish.Layers;

/// <summary>A piece of a layer's tar in the pipeline, with the memory it needs. Used again and again.</summary>
internal sealed class Block(int window, int size, IBlockEncoder? encoder) : IDisposable
{
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(window + size);

    /// <summary>How much of it is filled.</summary>
    public int Length { get; private set; }

    /// <summary>The piece of the tar.</summary>
    public ReadOnlyMemory<byte> Input => buffer.AsMemory(window, Length);

    /// <summary>What comes before the piece, and the piece.</summary>
    public ReadOnlyMemory<byte> WindowAndInput => buffer.AsMemory(0, window + Length);

    /// <summary>How many bytes at the end of the window are the tar's.</summary>
    public int History { get; private set; }

    /// <summary>The memory for more of it.</summary>
    public Span<byte> Free => buffer.AsSpan(window + Length, size - Length);

    /// <summary>The encoder that belongs to this block, and holds its result.</summary>
    public IBlockEncoder? Encoder => encoder;

    public Task<ReadOnlyMemory<byte>>? Encoded { get; private set; }

    public void Advance(int count) => Length += count;

    public void Reset() => (Length, History, Encoded) = (0, 0, null);

    /// <summary>Sets what comes before the piece.</summary>
    public void Precede(ReadOnlySpan<byte> history)
    {
        History = history.Length;
        history.CopyTo(buffer.AsSpan(window - History));
    }

    /// <summary>Starts encoding on the thread pool.</summary>
    public void Encode(CancellationToken cancellationToken) =>
        Encoded = encoder is null ? Task.FromResult(Input) : Task.Run(() => encoder.Encode(this), cancellationToken);

    public void Dispose()
    {
        encoder?.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
