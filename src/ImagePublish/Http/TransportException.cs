using System.Diagnostics.CodeAnalysis;

namespace ImagePublish.Http;

/// <summary>What is wrong with a line.</summary>
internal enum TransportError
{
    /// <summary>The name is unknown.</summary>
    Name,

    /// <summary>Nobody listens there.</summary>
    Refused,

    /// <summary>No connection comes about.</summary>
    Unreachable,

    /// <summary>The connection broke.</summary>
    Broken,

    /// <summary>Nothing moved for too long.</summary>
    Stalled,

    /// <summary>The certificate is not trusted.</summary>
    Certificate,

    /// <summary>The other side does not speak TLS as we do.</summary>
    Tls,

    /// <summary>The proxy refuses.</summary>
    Proxy,

    /// <summary>The answer is no HTTP.</summary>
    Protocol,
}

/// <summary>A request got no answer, or not all of it. Stays inside the room: the user sees an <c>ImagePublishException</c>.</summary>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves the room.")]
internal sealed class TransportException(TransportError fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public TransportError Fault { get; } = fault;

    /// <summary>Whether it may pass by itself.</summary>
    public bool IsTransient =>
        Fault is TransportError.Refused or TransportError.Unreachable or TransportError.Broken or TransportError.Stalled;
}
