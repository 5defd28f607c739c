using System.Globalization;

namespace ImagePublish.Common;

/// <summary>Cancels an operation when the other side took and sent nothing for a while. Only a document has a limit on its total time
/// too.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource idle;
    private readonly CancellationTokenSource linked;
    private long? documentStart;
    private TimeSpan documentLimit;
    private bool isDocumentLimit;

    public IdleWatch(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        (this.timeout, this.time) = (timeout, time);
        idle = new CancellationTokenSource(timeout, time);
        linked = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
    }

    public CancellationToken Token => linked.Token;

    public bool HasExpired => idle.IsCancellationRequested;

    /// <summary>The clock's timestamp when the body of a request began to be sent.</summary>
    public long? BodyStart { get; private set; }

    public void StartBody()
    {
        BodyStart ??= time.GetTimestamp();
        Touch();
    }

    public string Reason =>
        isDocumentLimit
            ? string.Create(CultureInfo.InvariantCulture, $"the answer took more than {documentLimit.TotalSeconds:0} seconds")
            : string.Create(CultureInfo.InvariantCulture, $"no data for {timeout.TotalSeconds:0} seconds");

    public void Touch()
    {
        var left = documentStart is { } start ? documentLimit - time.GetElapsedTime(start) : TimeSpan.MaxValue;
        isDocumentLimit = left < timeout;
        idle.CancelAfter(
            !isDocumentLimit ? timeout
            : left > TimeSpan.Zero ? left
            : TimeSpan.Zero
        );
    }

    /// <summary>A document begins: it is small, so its total time is limited too. Bytes that come one at a time would never let the watch
    /// expire.</summary>
    public void StartDocument(TimeSpan limit)
    {
        documentStart ??= time.GetTimestamp();
        documentLimit = limit;
        Touch();
    }

    /// <summary>Stops the clock until the next <see cref="Touch"/>: what is waited for now is not the other side.</summary>
    public void Suspend() => idle.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>Everything was sent: the other side may need longer than usual to answer.</summary>
    public void Allow(TimeSpan extra) => idle.CancelAfter(timeout + extra);

    public void Dispose()
    {
        linked.Dispose();
        idle.Dispose();
    }
}
