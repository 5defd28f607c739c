using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>The line to the registry; may be changed while it runs.</summary>
public sealed class LineOptions
{
    private readonly ConcurrentDictionary<string, long> bytes = new(StringComparer.Ordinal);
    private int breaks;

    /// <summary>Bodies move this fast in each request and each direction, in bytes.</summary>
    public long? BytesPerSecond { get; set; }

    /// <summary>The time to the registry and back: each request is answered that much later.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Each connection is reset once it brought so many bytes of request bodies.</summary>
    public long? BreakAfterRequestBytes { get; set; }

    /// <summary>How often the connection was cut.</summary>
    public int Breaks => Volatile.Read(ref breaks);

    internal void Apply(HttpContext http, CancellationToken closing)
    {
        if (BytesPerSecond is { } speed)
            Throttling.Apply(http, speed, closing);
        if (BreakAfterRequestBytes is not { } limit)
            return;
        var connection = http.Connection.Id;
        var broken = false;
        http.Request.Body = new TappedStream(
            http.Request.Body,
            wanted =>
                broken
                    ? throw new IOException("The connection was cut on request.")
                    : (int)Math.Min(wanted, limit - this.bytes.GetOrAdd(connection, 0)),
            (bytes, _) =>
            {
                if (this.bytes.AddOrUpdate(connection, bytes.Length, (_, sum) => sum + bytes.Length) < limit)
                    return ValueTask.CompletedTask;
                broken = true;
                Interlocked.Increment(ref breaks);
                Wire.Reset(http);
                return ValueTask.CompletedTask;
            }
        );
    }
}
