using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Http;

namespace ImagePublish.Http;

/// <summary>Decides whether and when something is tried again at one registry.</summary>
internal sealed class RetryPolicy(RegistryClientOptions options, IPublishLog log, TimeProvider time)
{
    private readonly Lock gate = new();
    private double budget = options.RetryBudget;

    /// <summary>Something went well.</summary>
    public void Succeeded()
    {
        lock (gate)
            budget = Math.Min(options.RetryBudget, budget + 0.5);
    }

    /// <summary>Waits for the next try. False: there is to be none.</summary>
    public async Task<bool> WaitAsync(Failure failure, int tries, CancellationToken cancellationToken, Digest? blob = null)
    {
        if (!failure.IsTransient || tries >= options.MaxTries || !TryTake())
            return false;
        var delay = Delay(failure, tries);
        var line =
            $"Trying again to {failure.Doing} in {Shown(delay)} (try {tries + 1} of {options.MaxTries}): {failure.Reason}{Asked(failure)}.";
        if (failure.RetryAfter is not null || delay >= TimeSpan.FromSeconds(5))
            log.Information(line);
        else
            log.Detail(line);
        log.Waiting(blob?.Value ?? failure.Url.Authority, delay, tries + 1, options.MaxTries);
        await Task.Delay(delay, time, cancellationToken);
        return true;
    }

    private static string Shown(TimeSpan delay) =>
        delay < TimeSpan.FromSeconds(1) ? $"{delay.TotalMilliseconds:0} ms" : $"{Math.Ceiling(delay.TotalSeconds):0} s";

    private bool TryTake()
    {
        lock (gate)
        {
            if (budget < 1)
                return false;
            budget--;
            return true;
        }
    }

    private string Asked(Failure failure) =>
        failure.RetryAfter is not { } asked ? ""
        : asked > options.MaxRetryAfter ? $", and asks to wait {Shown(asked)}, which is more than is waited here"
        : $", and asks to wait {Shown(asked)}";

    private TimeSpan Delay(Failure failure, int tries)
    {
        var own = Math.Min(options.MaxRetryDelay.TotalMilliseconds, options.FirstRetryDelay.TotalMilliseconds * Math.Pow(2, tries - 1));
        // So that many who failed together do not come back together.
        own *= RandomNumberGenerator.GetInt32(750, 1251) / 1000.0;
        var asked = failure.RetryAfter is { } after ? Math.Min(after.TotalMilliseconds, options.MaxRetryAfter.TotalMilliseconds) : 0;
        return TimeSpan.FromMilliseconds(Math.Max(own, asked));
    }
}
