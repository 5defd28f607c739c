using System.Diagnostics;
using System.Threading.Channels;

namespace ImagePublish.Testing;

/// <summary>How far away the other end of a <see cref="ProxyLine"/> is.</summary>
/// <param name="Delay">The time of each byte in each direction: half a round trip.</param>
/// <param name="BytesPerSecond">For each direction, shared by all connections.</param>
public sealed record Distance(TimeSpan Delay, long BytesPerSecond)
{
    public TimeSpan RoundTrip => 2 * Delay;
}

/// <summary>One direction of a long line: bytes arrive in order, each after the delay, and no faster than the line carries them.</summary>
internal sealed class DistantLink(Distance distance)
{
    // What waits in front of the line; a sender is held back beyond it.
    private static readonly TimeSpan Queue = TimeSpan.FromMilliseconds(20);

    private readonly Lock access = new();
    private long freeAt;

    /// <summary>Sends what is read until nothing comes any more, and ends once everything has arrived.</summary>
    public async Task CarryAsync(
        Func<Memory<byte>, Task<int>> read,
        Func<ReadOnlyMemory<byte>, Task> write,
        CancellationToken cancellationToken
    )
    {
        var underWay = Channel.CreateUnbounded<(long Due, byte[] Bytes)>();
        var delivering = DeliverAsync(underWay.Reader, write, cancellationToken);
        try
        {
            var buffer = new byte[16 << 10];
            for (int count; !delivering.IsCompleted && (count = await read(buffer)) > 0; )
            {
                var sent = Reserve(count);
                underWay.Writer.TryWrite((sent + (long)(distance.Delay.TotalSeconds * Stopwatch.Frequency), buffer[..count]));
                await WaitAsync(sent - (long)(Queue.TotalSeconds * Stopwatch.Frequency), cancellationToken);
            }
        }
        finally
        {
            underWay.Writer.TryComplete();
            await delivering;
        }
    }

    private static async Task DeliverAsync(
        ChannelReader<(long Due, byte[] Bytes)> underWay,
        Func<ReadOnlyMemory<byte>, Task> write,
        CancellationToken cancellationToken
    )
    {
        await foreach (var (due, bytes) in underWay.ReadAllAsync(cancellationToken))
        {
            await WaitAsync(due, cancellationToken);
            await write(bytes);
        }
    }

    // When the last of the bytes has left.
    private long Reserve(int count)
    {
        lock (access)
            return freeAt = Math.Max(freeAt, Stopwatch.GetTimestamp()) + count * Stopwatch.Frequency / distance.BytesPerSecond;
    }

    private static async Task WaitAsync(long until, CancellationToken cancellationToken)
    {
        // A delay is cut to whole milliseconds, and nothing may arrive early.
        while (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), until) is { Ticks: > 0 } wait)
            await Task.Delay((int)Math.Ceiling(wait.TotalMilliseconds), cancellationToken);
    }
}
