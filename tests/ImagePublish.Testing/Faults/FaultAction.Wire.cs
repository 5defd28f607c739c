using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

public sealed partial class FaultAction
{
    /// <summary>A TCP reset as soon as the request's head is there.</summary>
    public static FaultAction Reset() => new("resets the connection", (http, _, _) =>
        {
            Wire.Reset(http);
            return Task.CompletedTask;
        });

    /// <summary>A TCP reset once the body was read; nothing is processed.</summary>
    public static FaultAction ResetAfterBody() => new("resets after the body", async (http, _, _) =>
        {
            await Wire.DrainAsync(http);
            Wire.Reset(http);
        });

    /// <summary>
    /// A TCP reset in the middle of the request's body. The endpoint keeps what arrived, if it does such things. A shorter body goes
    /// through.
    /// </summary>
    public static FaultAction ResetAfterRequestBytes(long count) => new($"resets after {count} bytes", (http, _, next) =>
        {
            var left = count;
            Tap(
                http,
                wanted => left > 0 ? (int)Math.Min(wanted, left) : throw new IOException("The connection was reset on request."),
                (bytes, _) =>
                {
                    left -= bytes.Length;
                    if (left <= 0)
                        Wire.Reset(http);
                    return ValueTask.CompletedTask;
                }
            );
            return next();
        });

    /// <summary>Processes the request whole and drops the connection instead of answering: the disconnect after the last byte.</summary>
    public static FaultAction ProcessThenReset() => new("processes, then resets", async (http, _, next) =>
        {
            http.Response.Body = Stream.Null;
            await next();
            Wire.Reset(http);
        });

    /// <summary>Stops reading in the middle of the request's body.</summary>
    public static FaultAction StallAfterRequestBytes(long count) => new($"stalls after {count} bytes", (http, _, next) =>
        {
            var left = count;
            Tap(
                http,
                wanted => (int)Math.Min(wanted, left),
                async (bytes, _) =>
                {
                    left -= bytes.Length;
                    if (left <= 0)
                        await StallAsync(http);
                }
            );
            return next();
        });

    /// <summary>Announces the whole answer and ends the connection after so many bytes of it.</summary>
    public static FaultAction TruncateResponse(long count) =>
        new($"truncates the answer after {count} bytes", (http, _, next) => CutAsync(http, count, next, () => throw new CutException()));

    /// <summary>Sends so many bytes of the answer, then nothing.</summary>
    public static FaultAction StallResponse(long count) =>
        new($"stalls after {count} bytes of the answer", (http, _, next) => CutAsync(http, count, next, () => StallAsync(http)));

    /// <summary>The right answer, after which the connection is closed as announced.</summary>
    public static FaultAction RespondThenClose() => new("closes after the answer", async (http, _, next) =>
        {
            http.Response.Headers.Connection = "close";
            await next();
        });

    /// <summary>The right answer, after which the connection is reset without notice.</summary>
    public static FaultAction RespondThenReset() => new("resets after the answer", async (http, _, next) =>
        {
            await next();
            await http.Response.CompleteAsync();
            await Task.Delay(200, Given(http));
            Wire.Reset(http);
        });

    /// <summary>Both directions are slow; in bytes a second.</summary>
    public static FaultAction Throttle(long bytesPerSecond) => new($"moves {bytesPerSecond} bytes a second", (http, _, next) =>
        {
            Throttling.Apply(http, bytesPerSecond, Given(http));
            return next();
        });

    private static void Tap(HttpContext http, Func<int, int> allow, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> after) =>
        http.Request.Body = new TappedStream(http.Request.Body, allow, after);

    private static Task CutAsync(HttpContext http, long count, Func<Task> next, Func<Task> then)
    {
        var left = count;
        http.Response.Body = new FilteredStream(http.Response.Body, async (bytes, inner, cancel) =>
        {
            var part = bytes[..(int)Math.Min(bytes.Length, left)];
            left -= part.Length;
            await inner.WriteAsync(part, cancel);
            if (part.Length == bytes.Length)
                return;
            await inner.FlushAsync(cancel);
            await then();
        });
        return next();
    }
}
