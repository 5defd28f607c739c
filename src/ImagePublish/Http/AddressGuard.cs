using System.Net;
using System.Net.Sockets;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Http;

/// <summary>Keeps requests to hosts that a registry chose (realms, redirects, upload locations) away from this machine and its networks,
/// whatever a name resolves to: the check is made on the very address that is connected to.</summary>
/// <remarks>A handler for each registry, given to <see cref="Protect"/>, sends the requests that carry <see cref="RegistryOption"/>. Where
/// a proxy is in between, the proxy resolves the name, and only the text can be checked.</remarks>
/// <param name="connect">Connects to a host and port that was found to be allowed; null for the network.</param>
internal sealed class AddressGuard(
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    Func<DnsEndPoint, CancellationToken, ValueTask<Stream>>? connect = null
)
{
    /// <summary>Set on a request to a host that a registry sends us to, and not to the registry itself.</summary>
    public static readonly HttpRequestOptionsKey<Registry> RegistryOption = new("ImagePublish.AddressGuard.Registry");

    /// <summary>Set in addition on a request that follows a redirect or an upload's location, and is not for a token.</summary>
    public static readonly HttpRequestOptionsKey<bool> RedirectOption = new("ImagePublish.AddressGuard.Redirect");

    /// <summary>Set on a request that is connected for by whoever sends it, where no proxy is in between.</summary>
    public static readonly HttpRequestOptionsKey<Func<DnsEndPoint, CancellationToken, Task<Stream>>> ConnectOption = new(
        "ImagePublish.AddressGuard.Connect"
    );

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> resolve = resolve
        ?? ((host, ct) => Dns.GetHostAddressesAsync(host, ct));

    /// <summary>Makes a handler connect only to where a registry may send us. All its requests must be on behalf of that registry:
    /// connections are pooled.</summary>
    public void Protect(SocketsHttpHandler handler) => handler.ConnectCallback = ConnectAsync;

    /// <summary>Checks a host that is an address or <c>localhost</c>, before a proxy may be asked to connect to it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4014</c>: nothing may be sent there.</exception>
    public async ValueTask CheckTextAsync(Registry registry, string host, CancellationToken ct)
    {
        if (HostName.IsLoopback(host) || IPAddress.TryParse(host, out _))
            await ResolveAsync(registry, host, isRedirect: true, ct);
    }

    /// <summary>The addresses of a host that requests may go to where a registry sends us there.</summary>
    /// <param name="isRedirect">Whether it is the host of a redirect or of an upload's location, and not of a realm.</param>
    /// <exception cref="ImagePublishException">There is none: <c>IMG5003</c> for a realm, <c>IMG4014</c> for a redirect.</exception>
    public async Task<IPAddress[]> ResolveAsync(Registry registry, string host, bool isRedirect, CancellationToken ct)
    {
        var addresses = await ResolveAnyAsync(host, ct);
        if (Array.TrueForAll(addresses, address => AddressReaches.Classify(address) == AddressReach.Public))
            return addresses;
        var reach = await ReachOfAsync(registry, ct);
        var allowed = Array.FindAll(addresses, address => Allows(reach, AddressReaches.Classify(address)));
        return allowed.Length > 0 ? allowed : throw Refused(registry, host, addresses[0], isRedirect);
    }

    private static ImagePublishException Refused(Registry registry, string host, IPAddress address, bool isRedirect) =>
        isRedirect
            ? new ImagePublishException(
                DiagnosticCodes.UnsafeRedirect,
                $"{registry} redirects to {Text.Sanitize(host)}, which is refused: its address {address} is private or local, and "
                    + "less public than the registry's. "
                    + "If the registry does keep its blobs there, name the host in ImageTrustedRedirectHosts."
            )
            : new ImagePublishException(
                DiagnosticCodes.UntrustedRealm,
                $"{registry} names {Text.Sanitize(host)} as its token service, which is refused: its address {address} is "
                    + "private or local, and less public than the registry's."
            );

    private static bool Allows(AddressReach registry, AddressReach realm) =>
        realm switch
        {
            AddressReach.Public => true,
            AddressReach.Private => registry is AddressReach.Private or AddressReach.Loopback,
            AddressReach.Loopback => registry == AddressReach.Loopback,
            _ => false,
        };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var endPoint = context.DnsEndPoint;
        var request = context.InitialRequestMessage;
        var isDirect =
            request.RequestUri is { } uri
            && uri.IdnHost.Trim('[', ']').Equals(endPoint.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase)
            && uri.Port == endPoint.Port;
        if (isDirect && request.Options.TryGetValue(ConnectOption, out var own))
            return await own(endPoint, ct);
        var addresses =
            isDirect && request.Options.TryGetValue(RegistryOption, out var registry)
                ? await ResolveAsync(
                    registry,
                    endPoint.Host,
                    request.Options.TryGetValue(RedirectOption, out var isRedirect) && isRedirect,
                    ct
                )
                : await ResolveAnyAsync(endPoint.Host, ct);
        return connect is not null ? await connect(endPoint, ct) : await TcpConnection.OpenAsync(addresses, endPoint.Port, ct);
    }

    // A registry inside an organisation has its token service there too. A registry with public addresses as well proves nothing.
    private async Task<AddressReach> ReachOfAsync(Registry registry, CancellationToken ct)
    {
        if (registry.IsLoopback)
            return AddressReach.Loopback;
        IPAddress[] addresses;
        try
        {
            addresses = await ResolveAnyAsync(registry == Registry.DockerHub ? registry.ApiHost : registry.HostName, ct);
        }
        catch (SocketException)
        {
            // A registry that only a proxy can find is not in this network.
            return AddressReach.Public;
        }

        var reaches = addresses.Select(AddressReaches.Classify).Distinct().ToArray();
        return reaches is [var only] ? only : AddressReach.Public;
    }

    private async Task<IPAddress[]> ResolveAnyAsync(string host, CancellationToken ct)
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, ct);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
    }
}
