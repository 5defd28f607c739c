using System.Globalization;

namespace ImagePublish.Http;

/// <summary>How long a server asks to wait.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3">RFC 9110, Retry-After</see>: seconds, or a date.</remarks>
internal static class RetryAfterHeader
{
    private const int MaxDays = 365;

    public static TimeSpan? Parse(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        text = text.Trim();
        if (text.All(char.IsAsciiDigit))
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? Limited(seconds)
                : TimeSpan.FromDays(MaxDays);
        return DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? Limited((date - now).TotalSeconds)
            : null;
    }

    private static TimeSpan Limited(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MaxDays * 86400.0));
}
