using ImagePublish.Reporting;

namespace ImagePublish.Tests.Reporting;

/// <summary>What is said while a publish takes its time.</summary>
public sealed class ProgressLinesTests
{
    private readonly ManualClock clock = new();
    private readonly List<string> lines = [];

    [Fact]
    public void AQuickPublishSaysNothing()
    {
        using (var progress = Progress())
        {
            progress.Build("app", 1_000_000);
            progress.Expect(400_000);
            clock.Advance(4);
        }

        clock.Advance(100);
        Assert.Empty(lines);
    }

    [Fact]
    public void ASlowOneTellsHowFarHowFastAndHowLongNowAndThen()
    {
        using var progress = Progress();
        progress.Expect(100_000_000);
        progress.Add(10_000_000);
        clock.Advance(5);
        progress.Add(40_000_000);
        clock.Advance(10);
        clock.Advance(15);
        progress.Add(50_000_000);
        clock.Advance(30);

        Assert.Equal(
            [
                "Shop: 10.0 MB of 100.0 MB uploaded (10 %), 2.0 MB/s, 45 s left",
                "Shop: 50.0 MB of 100.0 MB uploaded (50 %), 4.0 MB/s, 15 s left",
                "Shop: 50.0 MB of 100.0 MB uploaded (50 %), nothing moves just now",
            ],
            lines);
    }

    [Fact]
    public void WhatIsCompressedIsNamed()
    {
        using var progress = Progress();
        progress.Build("packages", 800_000_000);
        progress.Build("app", 5);
        progress.Finish("app");
        clock.Advance(5);

        Assert.Equal(["Shop: layer 'packages' (800.0 MB) is compressed, for 5 s"], lines);
    }

    private ProgressLines Progress() => new("Shop", lines.Add, clock);

    /// <summary>A clock that stands until it is moved.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private readonly List<ManualTimer> timers = [];
        private long now;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => now;

        public void Advance(int seconds)
        {
            now += seconds * 1_000;
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
}
