using System.Net;
using System.Net.Sockets;

namespace ImagePublish.Common;

/// <summary>Connects to addresses that were checked, and never to what a name stands for by now.</summary>
internal static class TcpConnection
{
    /// <exception cref="SocketException">None can be connected to.</exception>
    public static async Task<Stream> OpenAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
