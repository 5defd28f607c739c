using System.Net;

namespace ImagePublish.Http;

/// <summary>The proxies as <c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c> and <c>NO_PROXY</c> name them. This machine is never reached through
/// one.</summary>
/// <param name="Except">Hosts that are reached directly, separated by commas: <c>example.com</c> with everything below it,
/// <c>10.1.2.3:5000</c>, <c>10.0.0.0/8</c> or <c>*</c>.</param>
internal sealed record ProxySettings(string? Http, string? Https, string? Except = null)
{
    public override string ToString() => $"http: {(Http is null ? "none" : "set")}, https: {(Https is null ? "none" : "set")}";
}

/// <summary>Chooses the proxy for an address, by the rules that <c>NO_PROXY</c> has in most tools.</summary>
internal sealed class ProxyRules : IWebProxy
{
    private readonly Uri? http;
    private readonly Uri? https;
    private readonly string[] except;

    public ProxyRules(ProxySettings settings)
    {
        (http, https) = (Parse(settings.Http), Parse(settings.Https));
        except = (settings.Except ?? "")
            .ToLowerInvariant()
            .Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Credentials = new ProxyCredentials(http, https);
    }

    public ICredentials? Credentials { get; set; }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : ProxyOf(destination);

    public bool IsBypassed(Uri host)
    {
        if (host.IsLoopback || ProxyOf(host) is null)
            return true;
        var name = host.IdnHost.ToLowerInvariant();
        return except.Any(entry => Matches(entry, name, host.Port));
    }

    private static bool Matches(string entry, string name, int port)
    {
        if (entry == "*")
            return true;
        if (IPNetwork.TryParse(entry, out var network))
            return IPAddress.TryParse(name, out var address) && network.Contains(address);
        if (entry.LastIndexOf(':') is var colon and > 0 && entry.IndexOf(':', StringComparison.Ordinal) == colon)
        {
            if (!ushort.TryParse(entry.AsSpan(colon + 1), out var only) || only != port)
                return false;
            entry = entry[..colon];
        }

        var bare = entry.TrimStart('*').TrimStart('.');
        return name == bare || name.Trim('[', ']') == bare || name.EndsWith("." + bare, StringComparison.Ordinal);
    }

    private static Uri? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var full = text.Contains("://", StringComparison.Ordinal) ? text.Trim() : "http://" + text.Trim();
        return Uri.TryCreate(full, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "socks4" or "socks4a" or "socks5"
            ? uri
            : null;
    }

    private Uri? ProxyOf(Uri destination) => destination.Scheme == Uri.UriSchemeHttps ? https : http;

    private sealed class ProxyCredentials(params Uri?[] proxies) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType)
        {
            foreach (var proxy in proxies)
            {
                if (proxy is { UserInfo.Length: > 0 } && proxy.Host == uri.Host && proxy.Port == uri.Port)
                {
                    var parts = proxy.UserInfo.Split(':', 2);
                    return new NetworkCredential(
                        Uri.UnescapeDataString(parts[0]),
                        parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : ""
                    );
                }
            }

            return null;
        }
    }
}
