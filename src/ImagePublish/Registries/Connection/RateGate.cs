using System.Net;
using ImagePublish.Http;

namespace ImagePublish.Registries.Connection;

/// <summary>
/// Holds requests back while a registry wants fewer of them: what one request is told counts for all others to the same registry, whichever
/// project they are for. When the time is over they go one after the other, so that they are not refused once more.
/// </summary>
internal sealed class RateGate(HttpOptions options, TimeProvider time)
{
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private Task opening = Task.CompletedTask;
    private TimeSpan closedFor;
    private int waiting;
    private int refusals;

    /// <summary>Waits until a request may be sent.</summary>
    public async ValueTask PassAsync(CancellationToken cancellationToken)
    {
        while (Wait() is var (opened, place))
        {
            await opened.WaitAsync(cancellationToken);
            if (place > 0)
                await Task.Delay(Spacing * place, time, cancellationToken);
        }
    }

    /// <summary>Learns from a response of the registry.</summary>
    public void Learn(TransportResponse response)
    {
        var asked = RetryAfterHeader.Parse(response.Header("Retry-After"), time.GetUtcNow());
        if (response.Status == HttpStatusCode.TooManyRequests)
            Close(asked ?? options.FirstRetryDelay * Math.Pow(2, Math.Min(refusals, 10)), asked is null);
        else if (response.Status == HttpStatusCode.ServiceUnavailable && asked is not null)
            Close(asked.Value, isGuessed: false);
        else if (response.IsSuccess)
            refusals = 0;
    }

    private void Close(TimeSpan pause, bool isGuessed)
    {
        var limit = isGuessed ? options.MaxRetryDelay : options.MaxRetryAfter;
        pause = pause < limit ? pause : limit;
        lock (gate)
        {
            refusals++;
            // Requests that were under way are told the same.
            if (pause <= TimeSpan.Zero || (!opening.IsCompleted && pause <= closedFor))
                return;
            (opening, closedFor, waiting) = (Task.Delay(pause, time), pause, 0);
        }
    }

    private (Task Opened, int Place)? Wait()
    {
        lock (gate)
            return opening.IsCompleted ? null : (opening, waiting++);
    }
}
