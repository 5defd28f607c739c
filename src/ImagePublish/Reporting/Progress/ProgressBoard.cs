namespace ImagePublish.Reporting.Progress;

/// <summary>What is under way in one publish, and how far it is. It may be used from several threads at once.</summary>
internal sealed class ProgressBoard(TimeProvider time)
{
    private const int DigestPrefix = 7;
    private const int ShortDigest = 12;

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> names = new(StringComparer.Ordinal);
    private readonly List<Item> items = [];
    private readonly SpeedMeter speed = new(time);
    private long expected;
    private long sent;

    public void Build(string layer, long bytes) => Start(layer, ProgressStep.Compressing, bytes);

    public void Compress(string layer, long bytes) => Advance(layer, ProgressStep.Compressing, bytes);

    public void Finish(string layer) => End(layer, ProgressStep.Compressing);

    public void Name(string blob, string name)
    {
        lock (gate)
            names[blob] = name;
    }

    /// <summary>A blob is about to be sent; also once more, or to another destination.</summary>
    public void Send(string blob, long bytes)
    {
        lock (gate)
            expected += bytes;
        Start(blob, ProgressStep.Sending, bytes);
    }

    public void Advance(string blob, long bytes)
    {
        lock (gate)
            sent += bytes;
        Advance(blob, ProgressStep.Sending, bytes);
    }

    public void Settle(string blob) => End(blob, ProgressStep.Sending);

    public void Wait(string subject, TimeSpan pause, int next, int tries)
    {
        lock (gate)
        {
            var item = items.Find(item => item.Key == subject && item.Step != ProgressStep.Compressing);
            if (item is null)
                items.Add(item = new Item(subject, ProgressStep.Waiting, new SpeedMeter(time)));
            (item.WaitsSince, item.Pause) = (time.GetTimestamp(), new ProgressPause(pause, next, tries));
        }
    }

    /// <summary>How far it is now. The speeds are those since some seconds ago, or since this was last asked.</summary>
    public ProgressSnapshot Snapshot()
    {
        lock (gate)
        {
            items.RemoveAll(item => item.Step == ProgressStep.Waiting && PauseOf(item)!.Left == TimeSpan.Zero);
            var done = Math.Min(sent, expected);
            return new ProgressSnapshot(
                [.. items.Select(RowOf)],
                new ProgressRow("", ProgressStep.Sending, done, expected) { Speed = speed.Measure(done) }
            );
        }
    }

    private void Start(string key, ProgressStep step, long bytes)
    {
        lock (gate)
        {
            // One that only waited until now is begun.
            items.RemoveAll(item => item.Key == key && item.Step == ProgressStep.Waiting);
            var item = Find(key, step);
            if (item is null)
                items.Add(item = new Item(key, step, new SpeedMeter(time)));
            item.Total += bytes;
            item.Parts++;
        }
    }

    private void Advance(string key, ProgressStep step, long bytes)
    {
        lock (gate)
        {
            if (Find(key, step) is { } item)
                (item.Done, item.Pause) = (item.Done + bytes, null);
        }
    }

    private void End(string key, ProgressStep step)
    {
        lock (gate)
        {
            if (Find(key, step) is { } item && --item.Parts == 0)
                items.Remove(item);
        }
    }

    private Item? Find(string key, ProgressStep step) => items.Find(item => item.Step == step && item.Key == key);

    private ProgressRow RowOf(Item item)
    {
        var done = Math.Min(item.Done, item.Total);
        return new ProgressRow(NameOf(item), item.Step, done, item.Total) { Speed = item.Speed.Measure(done), Pause = PauseOf(item) };
    }

    private ProgressPause? PauseOf(Item item)
    {
        if (item.Pause is not { } pause)
            return null;
        var left = pause.Left - time.GetElapsedTime(item.WaitsSince);
        return pause with { Left = left > TimeSpan.Zero ? left : TimeSpan.Zero };
    }

    // A blob without a name is called by the start of its digest, as docker does.
    private string NameOf(Item item) =>
        names.TryGetValue(item.Key, out var name) ? name
        : item.Step != ProgressStep.Compressing && item.Key.StartsWith("sha256:", StringComparison.Ordinal)
            ? item.Key.Substring(DigestPrefix, ShortDigest)
        : item.Key;

    private sealed class Item(string key, ProgressStep step, SpeedMeter speed)
    {
        public string Key { get; } = key;

        public ProgressStep Step { get; } = step;

        public SpeedMeter Speed { get; } = speed;

        public long Done { get; set; }

        public long Total { get; set; }

        public int Parts { get; set; }

        public ProgressPause? Pause { get; set; }

        public long WaitsSince { get; set; }
    }
}
