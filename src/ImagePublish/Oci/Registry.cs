using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>A registry by its host and port, such as <c>docker.io</c> or <c>[::1]:5000</c>. Valid by construction.</summary>
internal sealed record Registry
{
    private const string DockerHubName = "docker.io";

    private Registry(string host) => Host = host;

    /// <summary>Docker Hub, which answers for every reference that names no registry.</summary>
    public static Registry DockerHub { get; } = new(DockerHubName);

    public string Host { get; }

    public string ApiHost => this == DockerHub ? "registry-1.docker.io" : Host;

    /// <summary>Whether it is on this machine by name: <c>localhost</c> or a loopback address.</summary>
    public bool IsLoopback
    {
        get
        {
            var name = HostName;
            return name is "localhost" || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
        }
    }

    /// <summary>The host without its port, an IPv6 address without its brackets.</summary>
    public string HostName => Host[0] == '[' ? Host[1..Host.IndexOf(']', StringComparison.Ordinal)] : Host.Split(':')[0];

    /// <summary>Whether it names a port. Without one, https is at 443 and http at 80.</summary>
    public bool HasPort => Host.LastIndexOf(':') > Host.IndexOf(']', StringComparison.Ordinal);

    /// <summary>Reads a registry's host and port.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1006</c>: it is malformed.</exception>
    public static Registry Parse(string text) =>
        TryParse(text, out var registry)
            ? registry
            : throw new ImagePublishException(
                DiagnosticCodes.InvalidRegistry,
                $"'{Text.Sanitize(text)}' is not a registry: expected a host and perhaps a port, such as ghcr.io or "
                    + "localhost:5000, without http:// or a path."
            );

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Registry? registry)
    {
        registry = null;
        if (text is not { Length: > 0 and <= 255 } || !SplitPort(text, out var name, out var port) || !(IsDomain(name) || IsIPv6(name)))
            return false;
        var host = name.ToLowerInvariant() + port;
        registry = host is "index.docker.io" or "registry-1.docker.io" or DockerHubName ? DockerHub : new Registry(host);
        return true;
    }

    public override string ToString() => Host;

    private static bool SplitPort(string text, out string name, out string port)
    {
        var colon = text.LastIndexOf(':');
        var hasPort = colon > 0 && !text.EndsWith(']');
        (name, port) = hasPort ? (text[..colon], text[colon..]) : (text, "");
        return !hasPort
            || (
                port.Length is > 1 and <= 6
                && ushort.TryParse(port.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number > 0
            );
    }

    private static bool IsDomain(string name) =>
        name.Split('.')
            .All(part =>
                part.Length is > 0 and <= 63 && part[0] != '-' && part[^1] != '-' && part.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            );

    private static bool IsIPv6(string name) =>
        name.Length > 2
        && name[0] == '['
        && name[^1] == ']'
        && !name.Contains('%', StringComparison.Ordinal)
        && IPAddress.TryParse(name.AsSpan(1, name.Length - 2), out var address)
        && address.AddressFamily == AddressFamily.InterNetworkV6;
}
