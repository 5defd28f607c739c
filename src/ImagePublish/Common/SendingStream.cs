namespace ImagePublish.Common;

/// <summary>What is written to another program or server. Only the time that the other side takes counts, and its failures can be told from
/// those of whatever makes the bytes.</summary>
internal sealed class SendingStream : Stream
{
    private readonly Stream target;
    private readonly IdleWatch watch;

    public SendingStream(Stream target, IdleWatch watch)
    {
        (this.target, this.watch) = (target, watch);
        watch.Suspend();
    }

    /// <summary>Whether the other side failed.</summary>
    public bool HasFailed { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        HasFailed = true;
        watch.Touch();
        await target.WriteAsync(buffer, cancellationToken);
        watch.Suspend();
        HasFailed = false;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        HasFailed = true;
        watch.Touch();
        await target.FlushAsync(cancellationToken);
        watch.Suspend();
        HasFailed = false;
    }

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
