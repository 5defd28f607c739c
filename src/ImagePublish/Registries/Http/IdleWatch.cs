namespace ImagePublish.Registries.Http;

/// <summary>Gives up when nothing moved for a while. How long a transfer takes that moves does not matter.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _idle;
    private readonly CancellationTokenSource _linked;

    public IdleWatch(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _idle = new CancellationTokenSource(timeout, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_idle.Token, cancellationToken);
    }

    /// <summary>Cancelled when nothing moves, or by the caller.</summary>
    public CancellationToken Token => _linked.Token;

    public bool HasExpired => _idle.IsCancellationRequested;

    /// <summary>Something moved.</summary>
    public void Touch() => _idle.CancelAfter(_timeout);

    /// <summary>Everything was sent: the other side may need longer than usual to answer.</summary>
    public void Allow(TimeSpan extra) => _idle.CancelAfter(_timeout + extra);

    public void Dispose()
    {
        _linked.Dispose();
        _idle.Dispose();
    }
}
