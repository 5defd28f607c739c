using System.Globalization;

namespace ImagePublish.Reporting.Progress;

/// <summary>
/// Progress as rows of a terminal: name, bar, percent, bytes, speed and time left, or what else is done. Narrow terminals get fewer
/// columns.
/// </summary>
internal static class ProgressBars
{
    private const int Indent = 2;
    private const int Gap = 2;
    private const int MinName = 10;
    private const int MaxName = 36;
    private const int MinBar = 6;
    private const int MaxBar = 40;
    private const int PercentWidth = 5;
    private const int BytesWidth = 17;
    private const int TailWidth = 22;
    private const int ShortTailWidth = 12;

    public static IReadOnlyList<string> Rows(ProgressSnapshot state, int width, int limit, bool isUnicode)
    {
        if (limit <= 0 || state.Rows.Count == 0 || width < Indent + MinName + Gap + PercentWidth)
            return [];
        var shown = state.Rows.Count <= limit ? state.Rows : [.. MovingFirst(state.Rows).Take(Math.Max(1, limit - 1))];
        var layout = Layout.For(width, shown.Max(row => row.Name.Length), isUnicode);
        var rows = shown.Select(layout.Row).ToList();
        if (rows.Count < limit && state.Rows.Count > rows.Count)
            rows.Add(Clip(Others(state, shown.Count), width));
        return rows;
    }

    // What is transferred or waited for is worth a row more than what is queued.
    private static IEnumerable<ProgressRow> MovingFirst(IReadOnlyList<ProgressRow> rows) =>
        rows.OrderBy(row => row.Done == 0 && row.Pause is null ? 1 : 0);

    private static string Others(ProgressSnapshot state, int shown)
    {
        var all = state.Uploads;
        var left = all.Left is { } time ? $", {ProgressText.Speed(all.Speed)}, {ProgressText.Time(time)} left" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"  and {state.Rows.Count - shown} more; in all {ProgressText.Share(all.Done, all.Total)} moved{left}"
        );
    }

    private static string Clip(string text, int width) => text.Length <= width ? text : text[..width];

    /// <summary>Which columns there are, and how wide: the same for all rows, so that they stand below each other.</summary>
    private sealed record Layout(int Name, int Bar, bool HasBytes, int Tail, bool IsUnicode)
    {
        public static Layout For(int width, int longestName, bool isUnicode)
        {
            var room = width - Indent - Gap - PercentWidth;
            var tail =
                room >= MinName + MinBar + BytesWidth + TailWidth + (3 * Gap) ? TailWidth
                : room >= MinName + MinBar + ShortTailWidth + (2 * Gap) ? ShortTailWidth
                : 0;
            room -= tail == 0 ? 0 : tail + Gap;
            var hasBytes = room >= MinName + MinBar + BytesWidth + (2 * Gap);
            room -= hasBytes ? BytesWidth + Gap : 0;
            var hasBar = room >= MinName + MinBar + Gap;
            var name = Math.Clamp(longestName, MinName, Math.Min(MaxName, hasBar ? Math.Max(MinName, (room - Gap) * 3 / 5) : room));
            return new Layout(name, hasBar ? Math.Min(MaxBar, room - Gap - name) : 0, hasBytes, tail, isUnicode);
        }

        public string Row(ProgressRow row)
        {
            var columns = new List<string> { Fit(row.Name).PadRight(Name) };
            var isCounted = row.Total > 0;
            if (Bar > 0)
                columns.Add(isCounted ? ProgressText.Bar((double)row.Done / row.Total, Bar, IsUnicode) : new string(' ', Bar));
            columns.Add((isCounted ? string.Create(CultureInfo.InvariantCulture, $"{row.Percent} %") : "").PadLeft(PercentWidth));
            if (HasBytes)
                columns.Add((isCounted ? ProgressText.Share(row.Done, row.Total) : "").PadLeft(BytesWidth));
            if (Tail > 0)
                columns.Add(Clip(TailOf(row), Tail));
            return new string(' ', Indent) + string.Join(new string(' ', Gap), columns).TrimEnd();
        }

        private string TailOf(ProgressRow row)
        {
            var isShort = Tail < TailWidth;
            if (row.Pause is { } pause)
                return ProgressText.Pause(isShort ? pause with { Left = TimeSpan.Zero } : pause);
            if (row.Step == ProgressStep.Compressing)
                return "compressing";
            if (row.Done == row.Total)
                return "finishing";
            if (row.Left is not { } left)
                return row.Done == 0 ? ""
                    : isShort ? "stalled"
                    : "nothing moves";
            var time = $"{ProgressText.Time(left)} left";
            return isShort ? time : $"{ProgressText.Speed(row.Speed), 10}{time, 12}";
        }

        // What can't be printed in one cell would shift the columns.
        private string Fit(string name)
        {
            var clean = string.Concat(name.Select(c => char.IsControl(c) || (c > '~' && !IsUnicode) ? '?' : c));
            return clean.Length <= Name ? clean : clean[..(Name - 1)] + (IsUnicode ? "…" : "~");
        }
    }
}
