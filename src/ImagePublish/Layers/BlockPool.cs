using System.Collections.Concurrent;

namespace ImagePublish.Layers;

/// <summary>The few blocks that one pipeline works with: they bound its memory, and make a fast reader wait for the compressors.</summary>
internal sealed class BlockPool(int count, ILayerEncoding encoding) : IDisposable
{
    private readonly SemaphoreSlim free = new(count);
    private readonly ConcurrentBag<Block> idle = [];
    private readonly ConcurrentBag<Block> all = [];

    public int WindowSize => encoding.WindowSize;

    public Block Rent(CancellationToken cancellationToken)
    {
        free.Wait(cancellationToken);
        if (idle.TryTake(out var block))
            return block;

        block = new Block(encoding.WindowSize, encoding.BlockSize, encoding.CreateBlockEncoder());
        all.Add(block);
        return block;
    }

    public void Return(Block block)
    {
        block.Reset();
        idle.Add(block);
        free.Release();
    }

    /// <summary>Waits for what still runs: memory must not go back while a compressor writes to it.</summary>
    public async Task DrainAsync()
    {
        foreach (var block in all)
        {
            if (block.Encoded is { } encoded)
                await ((Task)encoded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        foreach (var block in all)
            block.Dispose();
        free.Dispose();
    }
}
