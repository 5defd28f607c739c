using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImagePublish.Testing;

/// <summary>A line of TCP on loopback, to put in front of a real server: slow if need be, and breaking.</summary>
public sealed class ProxyLine : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<Socket, bool> open = new();
    private readonly EndPoint target;
    private readonly Distance? distance;
    private readonly DistantLink? linkUp;
    private readonly DistantLink? linkDown;
    private readonly Task accepting;
    private long bytesUp;
    private long bytesDown;
    private int breaks;

    private ProxyLine(EndPoint target, Distance? distance)
    {
        (this.target, this.distance) = (target, distance);
        if (distance is not null)
            (linkUp, linkDown) = (new DistantLink(distance), new DistantLink(distance));
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Host => listener.LocalEndpoint.ToString()!;

    /// <summary>For each connection and direction.</summary>
    public long? BytesPerSecond { get; set; }

    /// <summary>Each connection is reset once it carried so many bytes towards the server.</summary>
    public long? BreakAfterBytes { get; set; }

    /// <summary>Bytes towards the server, of all connections.</summary>
    public long BytesUp => Interlocked.Read(ref bytesUp);

    public long BytesDown => Interlocked.Read(ref bytesDown);

    /// <summary>How often the connection was cut.</summary>
    public int Breaks => Volatile.Read(ref breaks);

    /// <param name="host"><c>127.0.0.1:5000</c>.</param>
    /// <param name="distance">How far away it is; null for not at all.</param>
    public static ProxyLine To(string host, Distance? distance = null) =>
        new(IPEndPoint.Parse(host.Replace("localhost", "127.0.0.1", StringComparison.Ordinal)), distance);

    /// <summary>Resets every connection that is open now.</summary>
    public void Cut()
    {
        foreach (var socket in open.Keys)
            Reset(socket);
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        Cut();
        await accepting;
        listener.Dispose();
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (!closing.IsCancellationRequested)
                lines.Add(CarryAsync(await listener.AcceptSocketAsync(closing.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The proxy is closing.
        }

        await Task.WhenAll(lines);
    }

    private async Task CarryAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var _ = client;
        client.NoDelay = true;
        open[client] = open[server] = true;
        try
        {
            // The handshake of TCP.
            if (distance is not null)
                await Task.Delay(distance.RoundTrip, closing.Token);
            await server.ConnectAsync(target, closing.Token);
            await Task.WhenAll(PumpAsync(client, server, up: true), PumpAsync(server, client, up: false));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            Reset(client);
            Reset(server);
        }
        finally
        {
            open.TryRemove(client, out var _);
            open.TryRemove(server, out var _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool up)
    {
        try
        {
            if ((up ? linkUp : linkDown) is { } link)
                await link.CarryAsync(
                    async buffer => await from.ReceiveAsync(buffer, closing.Token),
                    bytes => SendAsync(to, bytes),
                    closing.Token
                );
            else
                await CopyAsync(from, to, up);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // What ends one direction ends the other, too.
            Reset(from);
            Reset(to);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool up)
    {
        var buffer = new byte[64 << 10];
        var (start, moved) = (Stopwatch.GetTimestamp(), 0L);
        for (int read; (read = await from.ReceiveAsync(Allowed(buffer, up ? moved : 0), closing.Token)) > 0; )
        {
            await SendAsync(to, buffer.AsMemory(0, read));
            moved += read;
            Interlocked.Add(ref up ? ref bytesUp : ref bytesDown, read);
            if (up && moved >= BreakAfterBytes)
            {
                Interlocked.Increment(ref breaks);
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            if (
                BytesPerSecond is { } speed
                && TimeSpan.FromSeconds((double)moved / speed) - Stopwatch.GetElapsedTime(start) is { Ticks: > 10_000 } due
            )
                await Task.Delay(due, closing.Token);
        }
    }

    private Memory<byte> Allowed(byte[] buffer, long moved)
    {
        var slice = BytesPerSecond is { } speed ? Math.Max(1, speed / 20) : buffer.Length;
        return buffer.AsMemory(0, (int)Math.Clamp(Math.Min(slice, (BreakAfterBytes ?? long.MaxValue) - moved), 1, buffer.Length));
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await to.SendAsync(bytes, closing.Token)..];
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close(0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone already.
        }
    }
}
