using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>Makes bodies move at a given speed.</summary>
internal static class Throttling
{
    public static void Apply(HttpContext http, long bytesPerSecond, CancellationToken cancelled)
    {
        var slice = (int)Math.Clamp(bytesPerSecond / 20, 1, 64 << 10);
        var (received, sent) = (new Pace(bytesPerSecond), new Pace(bytesPerSecond));
        http.Request.Body = new TappedStream(http.Request.Body, _ => slice, (bytes, _) => received.WaitAsync(bytes.Length, cancelled));
        http.Response.Body = new FilteredStream(http.Response.Body, async (bytes, inner, _) =>
        {
            for (var at = 0; at < bytes.Length; at += slice)
            {
                var part = bytes.Slice(at, Math.Min(slice, bytes.Length - at));
                await inner.WriteAsync(part, cancelled);
                await inner.FlushAsync(cancelled);
                await sent.WaitAsync(part.Length, cancelled);
            }
        });
    }

    private sealed class Pace(long bytesPerSecond)
    {
        private readonly long start = Stopwatch.GetTimestamp();
        private long moved;

        public async ValueTask WaitAsync(int bytes, CancellationToken cancelled)
        {
            moved += bytes;
            var due = TimeSpan.FromSeconds((double)moved / bytesPerSecond) - Stopwatch.GetElapsedTime(start);
            if (due > TimeSpan.FromMilliseconds(1))
                await Task.Delay(due, cancelled);
        }
    }
}
