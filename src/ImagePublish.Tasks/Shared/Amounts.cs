using System.Globalization;

namespace ImagePublish.Tasks.Shared;

/// <summary>Ages and sizes as people write them.</summary>
internal static class Amounts
{
    public static TimeSpan? ParseAge(string? text, string property)
    {
        if (InputParser.Optional(text) is not { } age)
            return null;
        return double.TryParse(age[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < 100_000
            ? char.ToLowerInvariant(age[^1]) switch
            {
                'd' => TimeSpan.FromDays(number),
                'h' => TimeSpan.FromHours(number),
                'm' => TimeSpan.FromMinutes(number),
                _ => throw Invalid(),
            }
            : throw Invalid();

        Exception Invalid() => InputParser.Invalid(property, age, "expected a number and d, h or m, such as 30d");
    }

    public static long? ParseSize(string? text, string property)
    {
        if (InputParser.Optional(text) is not { } size)
            return null;
        var digits = size.TrimEnd('B', 'b', 'g', 'G', 'm', 'M', 'k', 'K', 't', 'T', ' ');
        return
            double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number < 1_000_000_000_000
            ? (long)(number * Factor(size[digits.Length..].Trim().ToUpperInvariant()))
            : throw Invalid();

        double Factor(string unit) =>
            unit switch
            {
                "" or "B" => 1,
                "KB" or "K" => 1e3,
                "MB" or "M" => 1e6,
                "GB" or "G" => 1e9,
                "TB" or "T" => 1e12,
                _ => throw Invalid(),
            };

        Exception Invalid() => InputParser.Invalid(property, size, "expected a number and kB, MB, GB or TB, such as 10GB");
    }
}
