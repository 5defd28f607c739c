namespace ImagePublish.Common;

/// <summary>The next bytes of a file as a stream of their own that can be read in any order.</summary>
internal sealed class SeekableSlice(Stream file, long length) : ReadOnlyStream
{
    private readonly long start = file.Position;

    public override bool CanSeek => true;

    public override long Length => length;

    public override long Position
    {
        get => file.Position - start;
        set => file.Position = start + Math.Clamp(value, 0, length);
    }

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => length + offset,
        };

    public override int Read(Span<byte> buffer) => file.Read(buffer[..(int)Math.Min(buffer.Length, length - Position)]);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - Position)], cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }
}
