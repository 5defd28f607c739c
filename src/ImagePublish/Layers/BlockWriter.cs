using System.Threading.Channels;

namespace ImagePublish.Layers;

/// <summary>Fills blocks one after the other and hands each on as soon as it is full.</summary>
internal sealed class BlockWriter(BlockPool pool, ChannelWriter<Block> blocks, CancellationToken cancellationToken)
{
    // The end of the block sent last, which may be in use again before the next one is there.
    private readonly byte[] window = new byte[pool.WindowSize];
    private int history;
    private Block? current;

    public long Position { get; private set; }

    /// <summary>Sees the contents of files on their way; null where nobody asks for their hashes.</summary>
    public LayerHasher? Hasher { get; init; }

    /// <summary>Where the next bytes go; never empty. Call <see cref="Advance"/> once they are there.</summary>
    public Span<byte> Free => (current ??= Next()).Free;

    public void Advance(int count)
    {
        Hasher?.Append(current!.Free[..count]);
        current!.Advance(count);
        Position += count;
        if (current.Free.IsEmpty)
            Send();
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var free = Free;
            var count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    public void WriteZeros(long count)
    {
        while (count > 0)
        {
            var free = Free;
            var zeros = free[..(int)Math.Min(free.Length, count)];
            zeros.Clear();
            Advance(zeros.Length);
            count -= zeros.Length;
        }
    }

    public void PadTo(int unit)
    {
        var over = Position % unit;
        if (over > 0)
            WriteZeros(unit - over);
    }

    public void Complete()
    {
        if (current is not null)
            Send();
    }

    private Block Next()
    {
        var block = pool.Rent(cancellationToken);
        block.Precede(window.AsSpan(0, history));
        return block;
    }

    private void Send()
    {
        var block = current!;
        current = null;
        history = Math.Min(window.Length, block.Length);
        block.Input.Span[^history..].CopyTo(window);
        block.Encode(cancellationToken);
        blocks.TryWrite(block);
    }
}
