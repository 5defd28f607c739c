using System.Net;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Engines;

namespace ImagePublish.Tests.Engines;

/// <summary>A TCP server that answers every request in the same way, whatever is asked, and closes the connection.</summary>
internal sealed class ForeignEndpoint : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<string, string> answer;
    private readonly Task serving;

    /// <summary>Starts it.</summary>
    /// <param name="answer">The whole answer to a request line, headers included.</param>
    public ForeignEndpoint(Func<string, string> answer)
    {
        this.answer = answer;
        listener.Start();
        serving = ServeAsync();
    }

    public DockerAddress Address => DockerAddress.TryParse($"tcp://{listener.LocalEndpoint}")!;

    /// <summary>An answer of status 200.</summary>
    /// <param name="body">Its body.</param>
    /// <param name="missing">How many bytes of it are promised and not sent.</param>
    public static string Ok(string body, int missing = 0) =>
        $"HTTP/1.1 200 OK\r\nContent-Length: {Encoding.UTF8.GetByteCount(body) + missing}\r\nConnection: close\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await serving;
        listener.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(stop.Token);
                await AnswerAsync(client.GetStream());
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // It is over.
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        try
        {
            var request = new StringBuilder();
            var buffer = new byte[64 * 1024];
            while (!IsWhole(request.ToString()) && await stream.ReadAsync(buffer, stop.Token) is var read and > 0)
                request.Append(Encoding.Latin1.GetString(buffer, 0, read));
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer(request.ToString().Split("\r\n")[0])), stop.Token);
        }
        catch (IOException)
        {
            // The client has gone.
        }
    }

    // Bodies are sent in chunks, of which the last is empty.
    private static bool IsWhole(string request) =>
        request.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase)
            ? request.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
            : request.EndsWith("\r\n\r\n", StringComparison.Ordinal);
}
