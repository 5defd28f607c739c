namespace ImagePublish.Layers;

/// <summary>How a tar becomes a blob: block by block, so that all cores can work on one layer. The number of cores never changes the
/// bytes.</summary>
internal interface ILayerEncoding
{
    int BlockSize { get; }

    /// <summary>How many bytes before a block its encoder sees; less than a block has.</summary>
    int WindowSize => 0;

    ReadOnlyMemory<byte> Start { get; }

    /// <summary>An encoder for one block at a time; null where blocks are kept as they are.</summary>
    IBlockEncoder? CreateBlockEncoder();

    void Add(Block block);

    ReadOnlyMemory<byte> End();
}

/// <summary>Encodes one block at a time, with memory of its own.</summary>
internal interface IBlockEncoder : IDisposable
{
    ReadOnlyMemory<byte> Encode(Block block);
}

internal sealed class PlainEncoding : ILayerEncoding
{
    public int BlockSize => 1 << 20;

    public ReadOnlyMemory<byte> Start => default;

    public IBlockEncoder? CreateBlockEncoder() => null;

    public void Add(Block block) { }

    public ReadOnlyMemory<byte> End() => default;
}
