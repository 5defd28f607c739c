namespace ImagePublish.Reporting.Progress;

/// <summary>How fast something went in the last few seconds, or since it was last asked if that is longer ago.</summary>
/// <param name="time">The clock.</param>
internal sealed class SpeedMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4);

    // The first is the one that is compared with.
    private readonly Queue<(long At, long Done)> samples = new([(time.GetTimestamp(), 0)]);

    /// <summary>The speed now.</summary>
    /// <param name="done">The bytes that are done.</param>
    /// <returns>Bytes a second.</returns>
    public double Measure(long done)
    {
        var now = time.GetTimestamp();
        while (samples.Count > 1 && time.GetElapsedTime(samples.ElementAt(1).At, now) >= Window)
            samples.Dequeue();
        var (at, before) = samples.Peek();
        samples.Enqueue((now, done));
        return Math.Max(0, done - before) / Math.Max(0.001, time.GetElapsedTime(at, now).TotalSeconds);
    }
}
