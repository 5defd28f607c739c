using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>The connection below a request.</summary>
internal static class Wire
{
    /// <summary>Tells <see cref="Reset"/> whose connection it is.</summary>
    public static void Attach(HttpContext http, RecordedRequest record) => http.Items[typeof(RecordedRequest)] = record;

    /// <summary>Ends the connection, all streams of HTTP/2 with it, by a TCP reset.</summary>
    public static void Reset(HttpContext http)
    {
        // Before the client can know of it.
        if (http.Items[typeof(RecordedRequest)] is RecordedRequest record)
            record.Aborted = true;
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Close(0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client was faster.
            }
        }

        http.Abort();
    }

    /// <summary>Reads what is left of the request body.</summary>
    public static async Task DrainAsync(HttpContext http)
    {
        var buffer = new byte[64 << 10];
        while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) > 0) { }
    }
}
