namespace ImagePublish.Reporting.Progress;

/// <summary>How progress is shown.</summary>
internal interface IProgressView : IDisposable
{
    TimeSpan Show(ProgressBoard board, TimeSpan elapsed);
}

/// <summary>Looks at the work of a publish now and then. A publish that is quick is never looked at.</summary>
internal sealed class ProgressWatch(TimeProvider time, Func<IProgressView> createView) : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    private readonly Lock gate = new();
    private ITimer? timer;
    private IProgressView? view;
    private long begun;
    private bool isOver;

    public ProgressBoard Board { get; } = new(time);

    public void Start()
    {
        lock (gate)
        {
            if (timer is not null || isOver)
                return;
            begun = time.GetTimestamp();
            timer = time.CreateTimer(_ => Look(), null, Patience, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isOver = true;
            timer?.Dispose();
            view?.Dispose();
        }
    }

    // Under the lock, so that nothing is shown once Dispose has returned.
    private void Look()
    {
        lock (gate)
        {
            if (isOver)
                return;
            view ??= createView();
            timer!.Change(view.Show(Board, time.GetElapsedTime(begun)), Timeout.InfiniteTimeSpan);
        }
    }
}
