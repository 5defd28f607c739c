namespace ImagePublish.Reporting.Progress;

/// <summary>What is done to something that takes its time.</summary>
internal enum ProgressStep
{
    Compressing,

    Sending,

    /// <summary>A registry was asked in vain, and is asked again a little later.</summary>
    Waiting,
}

/// <summary>A pause before something is tried again, and the try itself until it gets further.</summary>
internal sealed record ProgressPause(TimeSpan Left, int Try, int Tries);

/// <summary>How far one thing is.</summary>
internal sealed record ProgressRow(string Name, ProgressStep Step, long Done, long Total)
{
    public double Speed { get; init; }

    /// <summary>What it waits for, or what was waited for and has not got further yet.</summary>
    public ProgressPause? Pause { get; init; }

    /// <summary>How long it may still take; null while nothing is transferred, or next to nothing.</summary>
    public TimeSpan? Left => Speed > 0 && (Total - Done) / Speed is < LongestSeconds and var seconds ? TimeSpan.FromSeconds(seconds) : null;

    private const double LongestSeconds = 99 * 3600;

    public int Percent => Total <= 0 ? 0 : (int)(100.0 * Done / Total);
}

/// <summary>How far everything is at one moment.</summary>
/// <param name="Uploads">All blobs together that were sent or are to be sent, as far as they are known.</param>
internal sealed record ProgressSnapshot(IReadOnlyList<ProgressRow> Rows, ProgressRow Uploads);
