using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>A SOCKS proxy on loopback, for one run of apt: it connects to the sources' hosts only, and to no address that the guard
/// refuses.</summary>
/// <remarks>
/// apt looks names up by itself, and later than they are checked: whoever controls a source's name server could answer differently then.
/// Here the address that is checked is the one that is connected to. <see href="https://www.rfc-editor.org/rfc/rfc1928">RFC 1928</see>.
/// </remarks>
internal sealed class SourceProxy : IAsyncDisposable
{
    private const byte Version = 5;
    private const byte Connect = 1;
    private const byte Failure = 1;
    private const byte NotAllowed = 2;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<ImagePublishException> refusals = new();
    private readonly SourceGuard guard;
    private readonly Task serving;

    public SourceProxy(SourceGuard guard)
    {
        this.guard = guard;
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>Its address, as apt is told: names are sent to it as they are.</summary>
    public string Address => $"socks5h://{listener.LocalEndpoint}";

    /// <summary>What was not connected to, if anything.</summary>
    public ImagePublishException? Refusal => refusals.TryPeek(out var first) ? first : null;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await serving;
        listener.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
                clients.Add(ServeAsync(await listener.AcceptSocketAsync(stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // apt has ended.
        }

        await Task.WhenAll(clients);
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var client = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (await ReadTargetAsync(client) is not { } target)
                return;
            await using var source = await ConnectAsync(client, target);
            if (source is not null)
                await Task.WhenAny(client.CopyToAsync(source, stop.Token), source.CopyToAsync(client, stop.Token));
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
            // One side has gone, which the other sees.
        }
    }

    // Without authentication: which hosts can be reached is what protects them.
    private async Task<DnsEndPoint?> ReadTargetAsync(NetworkStream client)
    {
        var greeting = await ReadAsync(client, 2);
        await ReadAsync(client, greeting[1]);
        if (greeting[0] != Version)
            return null;
        await client.WriteAsync((byte[])[Version, 0], stop.Token);
        var request = await ReadAsync(client, 4);
        var host = request[3] switch
        {
            1 => new IPAddress(await ReadAsync(client, 4)).ToString(),
            3 => Encoding.Latin1.GetString(await ReadAsync(client, (await ReadAsync(client, 1))[0])),
            4 => new IPAddress(await ReadAsync(client, 16)).ToString(),
            _ => "",
        };
        var port = BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(client, 2));
        return request[1] == Connect && host.Length > 0 ? new DnsEndPoint(host, port) : null;
    }

    private async Task<Stream?> ConnectAsync(NetworkStream client, DnsEndPoint target)
    {
        try
        {
            var source = await guard.ConnectAsync(target, stop.Token);
            await AnswerAsync(client, 0);
            return source;
        }
        catch (ImagePublishException exception)
        {
            refusals.Enqueue(exception);
            await AnswerAsync(client, NotAllowed);
        }
        catch (SocketException exception)
        {
            await AnswerAsync(client, ReplyOf(exception.SocketErrorCode));
        }

        return null;
    }

    private static byte ReplyOf(SocketError error) =>
        error switch
        {
            SocketError.NetworkUnreachable => 3,
            SocketError.HostUnreachable or SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => 4,
            SocketError.ConnectionRefused => 5,
            SocketError.TimedOut => 6,
            SocketError.AccessDenied => NotAllowed,
            _ => Failure,
        };

    private ValueTask AnswerAsync(NetworkStream client, byte reply) =>
        client.WriteAsync((byte[])[Version, reply, 0, 1, 0, 0, 0, 0, 0, 0], stop.Token);

    private async Task<byte[]> ReadAsync(NetworkStream client, int count)
    {
        var bytes = new byte[count];
        await client.ReadExactlyAsync(bytes, stop.Token);
        return bytes;
    }
}
