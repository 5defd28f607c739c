using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Security.Authentication;
using ImagePublish.Common;

namespace ImagePublish.Http;

internal enum TransportError
{
    Name,

    /// <summary>The host refuses the connection: nothing listens at the port.</summary>
    Refused,

    /// <summary>The host can't be reached, or does not accept the connection in time.</summary>
    Unreachable,

    Broken,

    Stalled,

    Certificate,

    Tls,

    Proxy,

    Protocol,
}

/// <summary>A request got no response, or not all of it. It stays inside this library: the user sees an
/// <c>ImagePublishException</c>.</summary>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves the library.")]
internal sealed class TransportException(TransportError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public TransportError Error { get; } = error;

    public bool IsTransient =>
        Error is TransportError.Refused or TransportError.Unreachable or TransportError.Broken or TransportError.Stalled;
}

/// <summary>Translates the framework's exceptions to what they mean for a connection.</summary>
internal static class TransportErrors
{
    /// <summary>Whether an exception is about the connection. A cancellation by the caller is not, and neither is a bug of ours.</summary>
    public static bool IsTransportError(Exception exception, CancellationToken cancellationToken) =>
        exception switch
        {
            // When an HTTP/2 connection is lost, the framework cancels the bodies being sent, and may throw that instead of the cause.
            OperationCanceledException or HttpRequestException or IOException or SocketException or ObjectDisposedException =>
                !cancellationToken.IsCancellationRequested,
            _ => false,
        };

    public static TransportException From(Exception exception, IdleWatch watch)
    {
        if (watch.HasExpired)
            return new TransportException(TransportError.Stalled, watch.Reason, exception);
        if (exception is OperationCanceledException { InnerException: TimeoutException })
            return new TransportException(TransportError.Unreachable, "connecting timed out", exception);
        var socket = Find<SocketException>(exception)?.SocketErrorCode;
        var (error, message) = (exception as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError when socket == SocketError.TryAgain => (
                TransportError.Unreachable,
                "the name server does not answer"
            ),
            HttpRequestError.NameResolutionError => (TransportError.Name, "there is no host of that name"),
            HttpRequestError.SecureConnectionError => ClassifyTls(exception),
            HttpRequestError.ProxyTunnelError => (TransportError.Proxy, "the proxy refuses to connect"),
            HttpRequestError.ConnectionError => ClassifyConnection(socket),
            HttpRequestError.InvalidResponse or HttpRequestError.VersionNegotiationError or HttpRequestError.ConfigurationLimitExceeded => (
                TransportError.Protocol,
                "the response is not HTTP"
            ),
            _ => (TransportError.Broken, "the connection was lost"),
        };
        return new TransportException(error, message, exception);
    }

    private static (TransportError, string) ClassifyConnection(SocketError? socket) =>
        socket switch
        {
            SocketError.ConnectionRefused => (TransportError.Refused, "the connection was refused"),
            SocketError.HostUnreachable or SocketError.NetworkUnreachable => (TransportError.Unreachable, "there is no route to the host"),
            _ => (TransportError.Unreachable, "the host could not be connected to"),
        };

    // An untrusted certificate is recognized by the exception that our own check leaves; a handshake that is cut off may succeed later.
    private static (TransportError, string) ClassifyTls(Exception exception)
    {
        if (Find<AuthenticationException>(exception) is not { } failure)
            return (TransportError.Broken, "the connection was lost in the TLS handshake");
        return failure.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
            ? (TransportError.Certificate, "its certificate is not trusted")
            : (TransportError.Tls, "it does not speak TLS as expected");
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
