namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>A clock that stands until it is moved.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly List<ManualTimer> timers = [];
    private long now;

    public override long TimestampFrequency => 1_000;

    public override long GetTimestamp() => now;

    public void Advance(double seconds)
    {
        now += (long)(seconds * 1_000);
        foreach (var timer in timers.Where(timer => timer.Due <= now).ToList())
            timer.Fire();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        timers.Add(timer);
        return timer;
    }

    private sealed class ManualTimer(ManualClock clock, Action callback) : ITimer
    {
        public long Due { get; private set; }

        public void Fire()
        {
            Due = long.MaxValue;
            callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = clock.now + (long)dueTime.TotalMilliseconds;
            return true;
        }

        public void Dispose() => Due = long.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
