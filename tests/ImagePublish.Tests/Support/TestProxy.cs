using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImagePublish.Tests.Support;

/// <summary>A proxy that leads every tunnel, and every plain request, to one server. It may want a password.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly IPEndPoint server;
    private readonly string? credentials;
    private readonly Task accepting;

    public TestProxy(string server, string? credentials)
    {
        this.server = IPEndPoint.Parse(server);
        this.credentials = credentials is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>What a request is answered with instead, by its first line: a status; null for none.</summary>
    public Func<string, string?> Refuse { get; init; } = _ => null;

    /// <summary>Whether the server is asked by its own name, as some insist on; then it may also stand in front of the server.</summary>
    public bool RenamesHost { get; init; }

    public string Host => listener.LocalEndpoint.ToString()!;

    /// <summary>The heads of the requests that came.</summary>
    public ConcurrentQueue<string> Heads { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await accepting;
        listener.Dispose();
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (true)
                lines.Add(ServeAsync(await listener.AcceptSocketAsync(closing.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }

        await Task.WhenAll(lines);
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var client = new NetworkStream(socket, ownsSocket: true);
        try
        {
            string head;
            while (true)
            {
                head = await ReadHeadAsync(client);
                Heads.Enqueue(head);
                if (Refuse(head.Split("\r\n")[0]) is { } status)
                {
                    await client.WriteAsync(
                        Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
                        closing.Token
                    );
                    return;
                }

                if (credentials is null || head.Contains($"Basic {credentials}", StringComparison.Ordinal))
                    break;
                await client.WriteAsync(
                    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n"u8.ToArray(),
                    closing.Token
                );
            }

            using var tcp = new TcpClient();
            await tcp.ConnectAsync(this.server, closing.Token);
            var server = tcp.GetStream();
            if (head.StartsWith("CONNECT ", StringComparison.Ordinal))
                await client.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), closing.Token);
            else
                await server.WriteAsync(Encoding.ASCII.GetBytes(Forwarded(head)), closing.Token);
            await Task.WhenAny(client.CopyToAsync(server, closing.Token), server.CopyToAsync(client, closing.Token));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // One side is gone.
        }
    }

    // A connection for each request.
    private string Forwarded(string head)
    {
        var lines = head.Split("\r\n");
        var parts = lines[0].Split(' ');
        var path = parts[1].StartsWith('/') ? parts[1] : new Uri(parts[1]).PathAndQuery;
        lines[0] = $"{parts[0]} {path} {parts[2]}\r\nConnection: close";
        var isHost = (string line) => RenamesHost && line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase);
        return string.Join("\r\n", lines.Select(line => isHost(line) ? $"Host: {server}" : line));
    }

    private async Task<string> ReadHeadAsync(NetworkStream client)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await client.ReadAsync(one, closing.Token) == 0)
                throw new IOException("The client is gone.");
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
