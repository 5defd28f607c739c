namespace ImagePublish.Reporting.Progress;

/// <summary>How fast something went in the last few seconds, or since it was last asked if that is longer ago.</summary>
internal sealed class SpeedMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4);

    private readonly long begun = time.GetTimestamp();

    // The first is the one that is compared with. Made when it is first asked: most work is over before.
    private Queue<Sample>? samples;

    public double Measure(long done)
    {
        var now = time.GetTimestamp();
        samples ??= new Queue<Sample>([new Sample(begun, 0)]);
        while (samples.Count > 1 && time.GetElapsedTime(samples.ElementAt(1).At, now) >= Window)
            samples.Dequeue();
        var before = samples.Peek();
        samples.Enqueue(new Sample(now, done));
        return Math.Max(0, done - before.Done) / Math.Max(0.001, time.GetElapsedTime(before.At, now).TotalSeconds);
    }

    private readonly record struct Sample(long At, long Done);
}
