using System.Net;
using System.Net.Sockets;

namespace ImagePublish.Testing;

/// <summary>Ports that nobody else gets by chance.</summary>
public static class Ports
{
    // Below what Linux hands out to whoever asks for any port, to listen or to connect from.
    private const int First = 15_000;
    private const int End = 32_000;

    /// <summary>A port of loopback that nobody listens on, and that nobody will unless he names it.</summary>
    /// <returns>The port.</returns>
    public static int Free()
    {
        while (true)
        {
            using var probe = new TcpListener(IPAddress.Loopback, Random.Shared.Next(First, End));
            try
            {
                probe.Start();
                return ((IPEndPoint)probe.LocalEndpoint).Port;
            }
            catch (SocketException exception)
                when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                continue;
            }
        }
    }
}
