using System.Net;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Engines;

namespace ImagePublish.Tests.Engines;

/// <summary>A TCP server that reads all of one connection or its first bytes, sends the beginning of an answer, and then nothing
/// more.</summary>
internal sealed class StallingEndpoint : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task serving;

    public StallingEndpoint(bool readsAll, string beginning)
    {
        listener.Start();
        serving = ServeAsync(readsAll, beginning);
    }

    public DockerAddress Address => DockerAddress.TryParse($"tcp://{listener.LocalEndpoint}")!;

    /// <summary>Ends when a request has come.</summary>
    public Task Asked => asked.Task;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await serving;
        listener.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync(bool readsAll, string beginning)
    {
        try
        {
            using var client = await listener.AcceptTcpClientAsync(stop.Token);
            var stream = client.GetStream();
            var buffer = new byte[1024];
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 1), stop.Token);
            asked.SetResult();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning), stop.Token);
            while (readsAll && await stream.ReadAsync(buffer, stop.Token) > 0) { }

            if (!readsAll)
                await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException)
        {
            // It is over, or the client has gone.
        }
    }
}
