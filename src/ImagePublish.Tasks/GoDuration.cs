using System.Globalization;
using System.Text.RegularExpressions;

namespace ImagePublish.Tasks;

/// <summary>Times as Dockerfiles and Docker's command line write them: <c>30s</c>, <c>1m30s</c>, <c>1.5h</c>, <c>500ms</c>.</summary>
/// <remarks><see href="https://pkg.go.dev/time#ParseDuration">Go's durations</see>, which image configs hold as nanoseconds.</remarks>
internal static partial class GoDuration
{
    public static long? TryParse(string text)
    {
        if (!Shape().IsMatch(text))
            return null;
        decimal nanoseconds = 0;
        foreach (Match part in Part().Matches(text))
        {
            if (
                !decimal.TryParse(part.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number > long.MaxValue / (decimal)Unit("h")
            )
                return null;
            nanoseconds += number * Unit(part.Groups["unit"].Value);
        }

        return nanoseconds <= long.MaxValue ? (long)nanoseconds : null;
    }

    private static long Unit(string name) =>
        name switch
        {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" or "" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" or "µs" => 1_000,
            _ => 1,
        };

    [GeneratedRegex(@"^(\d+(\.\d+)?|(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+)$")]
    private static partial Regex Shape();

    [GeneratedRegex(@"(?<number>\d+(\.\d+)?)(?<unit>h|ms|m|s|us|µs|ns|)")]
    private static partial Regex Part();
}
