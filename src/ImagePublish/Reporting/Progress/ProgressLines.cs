using System.Globalization;

namespace ImagePublish.Reporting.Progress;

/// <summary>
/// A line now and then while layers are compressed and blobs are transferred: how far it is, how fast, how long it may still take. They are
/// ordinary messages, which every logger and every redirected output can bear.
/// </summary>
internal sealed class ProgressLines(string project, Action<string> say, ProgressLineStyle style) : IProgressView
{
    private static readonly TimeSpan NothingToShow = TimeSpan.FromSeconds(1);

    private TimeSpan due = TimeSpan.FromSeconds(style.Pauses[0]);
    private int lines;

    public TimeSpan Show(ProgressBoard board, TimeSpan elapsed)
    {
        if (elapsed >= due)
            due = elapsed + (Line(board.Snapshot(), style) is { } line ? Say(line) : NothingToShow);

        return due - elapsed;
    }

    /// <summary>Writes the line, and returns how long to wait before the next one.</summary>
    private TimeSpan Say(string line)
    {
        say($"{project}: {line}");
        lines++;
        return TimeSpan.FromSeconds(style.Pauses[Math.Min(lines, style.Pauses.Count - 1)]);
    }

    public void Dispose() { }

    public static string? Line(ProgressSnapshot state, ProgressLineStyle style)
    {
        var parts = new List<string>();
        if (state.Uploads is { } uploads && uploads.Done < uploads.Total)
            parts.Add(Uploaded(uploads, style));
        foreach (var row in state.Rows)
        {
            if (row.Step == ProgressStep.Compressing)
                parts.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"layer '{row.Name}' is compressed, {ProgressText.Share(row.Done, row.Total)} ({row.Percent} %)"
                    )
                );
            else if (row.Pause is { } pause)
                parts.Add($"{row.Name} {ProgressText.Pause(pause)}");
        }

        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private static string Uploaded(ProgressRow uploads, ProgressLineStyle style)
    {
        var bar = style.BarWidth == 0 ? "" : ProgressText.Bar((double)uploads.Done / uploads.Total, style.BarWidth, style.IsUnicode) + " ";
        var share = ProgressText.Share(uploads.Done, uploads.Total);
        var speed = uploads.Left is { } left ? $"{ProgressText.Speed(uploads.Speed)}, {ProgressText.Time(left)} left" : "nothing moves";
        return string.Create(CultureInfo.InvariantCulture, $"{bar}{share} moved ({uploads.Percent} %), {speed}");
    }
}

/// <summary>How lines of progress look.</summary>
internal sealed record ProgressLineStyle(IReadOnlyList<int> Pauses, int BarWidth, bool IsUnicode)
{
    public static ProgressLineStyle Log { get; } = new([5, 10, 15, 30], 0, IsUnicode: false);

    public static ProgressLineStyle Terminal(bool isUnicode) => new([2, 3, 5, 5, 10, 10, 15], 12, isUnicode);
}
