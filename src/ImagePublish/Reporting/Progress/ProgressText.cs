using System.Globalization;

namespace ImagePublish.Reporting.Progress;

/// <summary>What lines and rows of progress are made of.</summary>
internal static class ProgressText
{
    public static string Share(long done, long total)
    {
        var (unit, name, digits) = total switch
        {
            < 1_000 => (1, "B", "0"),
            < 1_000_000 => (1_000, "kB", "0.0"),
            < 1_000_000_000 => (1_000_000, "MB", "0.0"),
            _ => (1_000_000_000, "GB", "0.00"),
        };
        return $"{Number(done)} of {Number(total)} {name}";

        string Number(long bytes) => ((double)bytes / unit).ToString(digits, CultureInfo.InvariantCulture);
    }

    public static string Time(TimeSpan time) =>
        time.TotalSeconds switch
        {
            < 90 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
            < 5400 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):0} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h"),
        };

    public static string Speed(double bytesPerSecond) => $"{ByteSize.Show((long)bytesPerSecond)}/s";

    /// <summary>A pause: <c>waits 2 s, try 2 of 5</c>; once it is over, <c>try 2 of 5</c>.</summary>
    public static string Pause(ProgressPause pause) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(pause.Left > TimeSpan.Zero ? $"waits {Time(pause.Left)}, " : "")}try {pause.Try} of {pause.Tries}"
        );

    public static string Bar(double share, int width, bool isUnicode)
    {
        var halves = (int)(Math.Clamp(share, 0, 1) * width * 2);
        var full = halves / 2;
        if (!isUnicode)
            return new string('#', full) + new string('-', width - full);
        var half = halves % 2 == 1 ? "╸" : "";
        return new string('━', full) + half + new string('─', width - full - half.Length);
    }
}
