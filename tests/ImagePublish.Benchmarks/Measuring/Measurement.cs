namespace ImagePublish.Benchmarks.Measuring;

/// <summary>One run of a command.</summary>
/// <param name="Seconds">Wall time, from start to exit.</param>
/// <param name="PeakMemory">The most that the command's own process (MSBuild, which runs the tasks) held in memory, in bytes.</param>
internal sealed record Run(double Seconds, long PeakMemory)
{
    /// <summary>
    /// What the processor worked, on all cores, in seconds: it tells more than wall time on a machine that has other work too.
    /// </summary>
    public double ProcessorSeconds { get; init; }

    /// <summary>What was sent to the target registry, in bytes; 0 where there is none.</summary>
    public long SentBytes { get; init; }

    /// <summary>The requests that the target registry answered.</summary>
    public int Requests { get; init; }

    /// <summary>How many of them waited for each other's answers; null where the registry is on this machine.</summary>
    public int? RoundTrips { get; init; }
}

/// <summary>Several runs of one contender in one case.</summary>
internal sealed class Runs
{
    private readonly List<Run> runs = [];

    /// <summary>Median wall time.</summary>
    public double Seconds => Median(run => run.Seconds);

    public double Fastest => runs.Min(run => run.Seconds);

    public double Slowest => runs.Max(run => run.Seconds);

    /// <summary>Median of the processor's time.</summary>
    public double ProcessorSeconds => Median(run => run.ProcessorSeconds);

    /// <summary>Median of the bytes sent.</summary>
    public double SentBytes => Median(run => run.SentBytes);

    /// <summary>The most requests that a run took: a median would hide one that took more.</summary>
    public int Requests => runs.Max(run => run.Requests);

    /// <summary>The most round trips in sequence that a run took; null where none were counted.</summary>
    public int? RoundTrips => runs.Max(run => run.RoundTrips);

    /// <summary>Median of the peaks.</summary>
    public double PeakMemory => Median(run => run.PeakMemory);

    public void Add(Run run) => runs.Add(run);

    private double Median(Func<Run, double> value) => Median(runs.Select(value));

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
