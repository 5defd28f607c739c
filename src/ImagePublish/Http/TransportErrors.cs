using System.Net.Sockets;
using System.Security.Authentication;

namespace ImagePublish.Http;

/// <summary>Tells what the framework's exceptions mean for a line.</summary>
internal static class TransportErrors
{
    /// <summary>Whether an exception is about the line. Work that the caller cancelled is not, and neither are mistakes of ours.</summary>
    public static bool IsTransportError(Exception exception, CancellationToken cancellationToken) =>
        exception switch
        {
            // When a connection of HTTP/2 breaks, the framework cancels the bodies that are under way, and may tell that instead of the reason.
            OperationCanceledException or HttpRequestException or IOException or SocketException or ObjectDisposedException =>
                !cancellationToken.IsCancellationRequested,
            _ => false,
        };

    public static TransportException From(Exception exception, IdleWatch watch)
    {
        if (watch.HasExpired)
            return new TransportException(TransportError.Stalled, watch.Reason, exception);
        if (exception is OperationCanceledException { InnerException: TimeoutException })
            return new TransportException(TransportError.Unreachable, "no connection came about in time", exception);
        var socket = Find<SocketException>(exception);
        return (exception as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError when socket?.SocketErrorCode == SocketError.TryAgain => new TransportException(
                TransportError.Unreachable,
                "the name server does not answer",
                exception
            ),
            HttpRequestError.NameResolutionError => new TransportException(TransportError.Name, "there is no host of that name", exception),
            HttpRequestError.SecureConnectionError => Secure(exception),
            HttpRequestError.ProxyTunnelError => new TransportException(TransportError.Proxy, "the proxy refuses to connect", exception),
            HttpRequestError.ConnectionError => Connection(exception, socket),
            HttpRequestError.InvalidResponse or HttpRequestError.VersionNegotiationError or HttpRequestError.ConfigurationLimitExceeded =>
                new TransportException(TransportError.Protocol, "the answer is no HTTP", exception),
            _ => new TransportException(TransportError.Broken, "the connection broke", exception),
        };
    }

    private static TransportException Connection(Exception exception, SocketException? socket) =>
        socket?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => new TransportException(TransportError.Refused, "the connection was refused", exception),
            SocketError.HostUnreachable or SocketError.NetworkUnreachable => new TransportException(
                TransportError.Unreachable,
                "there is no route to the host",
                exception
            ),
            _ => new TransportException(TransportError.Unreachable, "no connection came about", exception),
        };

    // A certificate that is not trusted is told apart by the exception that our own check leaves; a handshake that ends early may pass by itself.
    private static TransportException Secure(Exception exception)
    {
        if (Find<AuthenticationException>(exception) is not { } failure)
            return new TransportException(TransportError.Broken, "the connection broke in the TLS handshake", exception);
        return
            failure.Message.Contains("RemoteCertificate", StringComparison.Ordinal)
            || failure.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
            ? new TransportException(TransportError.Certificate, "its certificate is not trusted", exception)
            : new TransportException(TransportError.Tls, "it does not speak TLS as expected", exception);
    }

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
                return found;
        }

        return null;
    }
}
