using System.Globalization;
using System.Security.Cryptography;
using ImagePublish.Diagnostics;

namespace ImagePublish.Http;

internal sealed class RetryPolicy(HttpOptions options, IPublishLog log, TimeProvider time)
{
    private readonly Lock gate = new();
    private double budget = options.RetryBudget;

    public void RecordSuccess()
    {
        lock (gate)
            budget = Math.Min(options.RetryBudget, budget + 0.5);
    }

    /// <summary>Waits before the next attempt. False: there is to be none.</summary>
    public async Task<bool> WaitAsync(HttpFailure failure, int attempts, CancellationToken cancellationToken, string? subject = null)
    {
        if (!failure.IsTransient || attempts >= options.MaxTries || !TryTakeFromBudget())
            return false;
        var delay = ComputeDelay(failure, attempts);
        var message =
            $"Trying again to {failure.Purpose} in {Format(delay)} (try {attempts + 1} of {options.MaxTries}): "
            + $"{failure.Reason}{DescribeRetryAfter(failure)}.";
        if (failure.RetryAfter is not null || delay >= TimeSpan.FromSeconds(5))
            log.Information(message);
        else
            log.Detail(message);
        Spans.AddEvent(
            "retry",
            ("imagepublish.retry.attempt", attempts + 1),
            ("imagepublish.retry.delay_ms", (long)delay.TotalMilliseconds),
            (Spans.ErrorType, failure.Transport?.Error.ToString() ?? $"{(int)failure.Status!.Value}")
        );
        log.Waiting(subject ?? failure.Url.Authority, delay, attempts + 1, options.MaxTries);
        await Task.Delay(delay, time, cancellationToken);
        return true;
    }

    private static string Format(TimeSpan delay) =>
        delay < TimeSpan.FromSeconds(1) ? $"{delay.TotalMilliseconds:0} ms" : $"{Math.Ceiling(delay.TotalSeconds):0} s";

    private bool TryTakeFromBudget()
    {
        lock (gate)
        {
            if (budget < 1)
                return false;
            budget--;
            return true;
        }
    }

    private string DescribeRetryAfter(HttpFailure failure)
    {
        if (failure.RetryAfter is not { } asked)
            return "";
        var limit = asked > options.MaxRetryAfter ? ", which is longer than the maximum wait" : "";
        return $", and asks to wait {Format(asked)}{limit}";
    }

    private TimeSpan ComputeDelay(HttpFailure failure, int attempts)
    {
        var own = Math.Min(options.MaxRetryDelay.TotalMilliseconds, options.FirstRetryDelay.TotalMilliseconds * Math.Pow(2, attempts - 1));
        // So that many who failed together do not come back together.
        own *= RandomNumberGenerator.GetInt32(750, 1251) / 1000.0;
        var asked = failure.RetryAfter is { } after ? Math.Min(after.TotalMilliseconds, options.MaxRetryAfter.TotalMilliseconds) : 0;
        return TimeSpan.FromMilliseconds(Math.Max(own, asked));
    }
}

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
