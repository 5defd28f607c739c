using System.Collections.Concurrent;

namespace ImagePublish.Tests.Support;

/// <summary>
/// A clock whose timers run a thousand times faster than they say, so that nobody waits for a pause. It remembers what was waited for.
/// </summary>
internal sealed class FastClock : TimeProvider
{
    private const double Speed = 1000;

    /// <summary>The times that timers were set to.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
            Waits.Enqueue(dueTime);
        return new FastTimer(System.CreateTimer(callback, state, Scaled(dueTime), Scaled(period)));
    }

    private static TimeSpan Scaled(TimeSpan time) =>
        time <= TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(Math.Max(1, time.TotalMilliseconds / Speed));

    private sealed class FastTimer(ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(Scaled(dueTime), Scaled(period));

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
