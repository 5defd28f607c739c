using System.Net.Http.Headers;
using ImagePublish.Common;

namespace ImagePublish.Registries.Blobs;

/// <summary>A part of a blob that is about to be sent, and how much of it was.</summary>
internal sealed class BlobPart(BlobReader reader, long offset, long length) : IDisposable
{
    // Above this size it pays to ask first whether the registry accepts it, where that is of use.
    private const long AskFirst = 1 << 20;

    // Before it answers, a registry may hash the blob and move it to its storage, at this pace at the slowest: in bytes a second.
    private const long StoredPerSecond = 20 << 20;

    private long sent;
    private CancellationTokenSource? sending;

    public long Offset => offset;

    public long Length => length;

    public long Sent => Interlocked.Read(ref sent);

    /// <summary>How far into the blob the registry may have it: what is being written counts too.</summary>
    public long Reached { get; private set; }

    public bool WasSentWhole { get; private set; }

    public Action<long>? Advanced { get; init; }

    public IdleWatch? Watch { get; set; }

    public void Attach(HttpRequestMessage request)
    {
        Stop();
        sending = new CancellationTokenSource();
        WasSentWhole = length == 0;
        request.Content = new Body(this, sending.Token);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        request.Content.Headers.ContentLength = length;
        if (length > AskFirst)
            request.Headers.ExpectContinue = true;
    }

    /// <summary>Stops sending. Over HTTP/2 an answer may come, and another request begin, while a body is still being sent.</summary>
    public void Stop()
    {
        sending?.Cancel();
        sending?.Dispose();
        sending = null;
    }

    public void Dispose() => Stop();

    private async Task CopyAsync(Stream stream, CancellationToken cancellationToken)
    {
        Watch?.StartBody();
        var at = offset;
        // A source that is itself a registry may have to be waited for longer than the target may stand still. It has limits of its own, so
        // only the writing is watched.
        Watch?.Suspend();
        await foreach (var bytes in reader.ReadAsync(offset, length, cancellationToken))
        {
            Watch?.Touch();
            at += bytes.Length;
            // Over HTTP/2 a part of it may arrive before the connection breaks.
            Reached = Math.Max(Reached, at);
            await stream.WriteAsync(bytes, cancellationToken);
            Interlocked.Add(ref sent, bytes.Length);
            Advanced?.Invoke(at);
            Watch?.Suspend();
        }

        Watch?.Touch();
        await stream.FlushAsync(cancellationToken);
        WasSentWhole = true;
        Watch?.Allow(TimeSpan.FromSeconds((double)length / StoredPerSecond));
    }

    private sealed class Body(BlobPart part, CancellationToken stopped) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            part.CopyAsync(stream, stopped);

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            System.Net.TransportContext? context,
            CancellationToken cancellationToken
        )
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopped, cancellationToken);
            await part.CopyAsync(stream, either.Token);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = part.Length;
            return true;
        }
    }
}
