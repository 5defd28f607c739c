using ImagePublish.Common;

namespace ImagePublish.Layers;

/// <summary>A stream whose first bytes were read already; counts what is taken from it, and leaves it open.</summary>
internal sealed class CountedStream(ReadOnlyMemory<byte> start, Stream rest) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> ahead = start;

    /// <summary>How many bytes were taken.</summary>
    public long Count { get; private set; }

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(ahead.IsEmpty ? await rest.ReadAsync(buffer, cancellationToken) : TakeAhead(buffer.Span));

    public override int Read(Span<byte> buffer) => Counted(ahead.IsEmpty ? rest.Read(buffer) : TakeAhead(buffer));

    private int TakeAhead(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, ahead.Length);
        ahead.Span[..count].CopyTo(buffer);
        ahead = ahead[count..];
        return count;
    }

    private int Counted(int read)
    {
        Count += read;
        return read;
    }
}
