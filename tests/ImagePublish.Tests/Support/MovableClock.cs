namespace ImagePublish.Tests.Support;

/// <summary>
/// A clock whose time of day stands until it is moved, for code that also waits for real work: timers and time stamps are the machine's.
/// Where they must stand too, there is <c>FakeTimeProvider</c>.
/// </summary>
internal sealed class MovableClock(DateTimeOffset start) : TimeProvider
{
    private DateTimeOffset now = start;

    public MovableClock()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)) { }

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(TimeSpan time) => now += time;
}
