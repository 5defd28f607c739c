using System.Globalization;

namespace ImagePublish.Reporting;

/// <summary>
/// A line now and then while layers are compressed and blobs move: how far it is, how fast, how long it may still take. A publish that is quick says nothing. MSBuild has no live
/// display that a task may draw on, so these are ordinary messages, which every logger and every redirected output can bear.
/// </summary>
/// <param name="project">The project's name.</param>
/// <param name="say">Prints a line.</param>
/// <param name="time">The clock.</param>
public sealed class ProgressLines(string project, Action<string> say, TimeProvider time) : IDisposable
{
    private static readonly int[] Pauses = [5, 10, 15, 30];

    private readonly Lock gate = new();
    private readonly Dictionary<string, (long Bytes, long Since)> building = new(StringComparer.Ordinal);
    private ITimer? timer;
    private int lines;
    private long expected;
    private long sent;
    private long sentBefore;
    private long begun;
    private long told;
    private bool isOver;

    /// <summary>A blob is about to be sent.</summary>
    /// <param name="bytes">Its size.</param>
    public void Expect(long bytes)
    {
        lock (gate)
        {
            expected += bytes;
            Begin();
        }
    }

    /// <summary>Bytes of a blob were sent for the first time.</summary>
    /// <param name="bytes">How many.</param>
    public void Add(long bytes) => Interlocked.Add(ref sent, bytes);

    /// <summary>A layer is about to be compressed.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="bytes">The bytes of its files.</param>
    public void Build(string layer, long bytes)
    {
        lock (gate)
        {
            building[layer] = (bytes, time.GetTimestamp());
            Begin();
        }
    }

    /// <summary>A layer is compressed.</summary>
    /// <param name="layer">Its name.</param>
    public void Finish(string layer)
    {
        lock (gate)
            building.Remove(layer);
    }

    /// <summary>Says no more.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isOver = true;
            timer?.Dispose();
        }
    }

    private void Begin()
    {
        if (timer is not null || isOver)
            return;
        begun = told = time.GetTimestamp();
        timer = time.CreateTimer(_ => Tell(), null, TimeSpan.FromSeconds(Pauses[0]), Timeout.InfiniteTimeSpan);
    }

    // Under the lock, so that nothing is said once Dispose has returned.
    private void Tell()
    {
        lock (gate)
        {
            if (isOver)
                return;
            if (Line() is { } line)
                say($"{project}: {line}");
            lines++;
            timer!.Change(TimeSpan.FromSeconds(Pauses[Math.Min(lines, Pauses.Length - 1)]), Timeout.InfiniteTimeSpan);
        }
    }

    private string? Line()
    {
        var done = Math.Min(Interlocked.Read(ref sent), expected);
        var speed = (done - sentBefore) / Math.Max(0.001, time.GetElapsedTime(told).TotalSeconds);
        var overall = done / Math.Max(0.001, time.GetElapsedTime(begun).TotalSeconds);
        var isMoving = done > sentBefore;
        (sentBefore, told) = (done, time.GetTimestamp());
        var parts = new List<string>();
        if (done < expected)
            parts.Add($"{ByteSize.Show(done)} of {ByteSize.Show(expected)} uploaded ({100 * done / expected} %), {(isMoving ? $"{ByteSize.Show((long)speed)}/s, {Time((expected - done) / overall)} left" : "nothing moves just now")}");
        foreach (var (layer, (bytes, since)) in building)
            parts.Add($"layer '{layer}' ({ByteSize.Show(bytes)}) is compressed, for {Time(time.GetElapsedTime(since).TotalSeconds)}");
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private static string Time(double seconds) => seconds switch
    {
        < 90 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(seconds):0} s"),
        < 5400 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(seconds / 60):0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
