using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Keeps token requests out of this machine and its networks, whatever a realm's name resolves to: the check is made on the very address that is connected to.</summary>
/// <remarks>
/// A handler of its own, given to <see cref="Protect"/>, sends the requests that carry <see cref="RegistryOption"/>. Where a proxy is in between, it is the proxy that resolves the name, and only the realm's text could be checked.
/// </remarks>
/// <param name="resolve">Looks up the addresses of a name.</param>
internal sealed class RealmGuard(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    /// <summary>Set on a request that is for a registry's realm and not for the registry itself.</summary>
    public static readonly HttpRequestOptionsKey<Registry> RegistryOption = new("ImagePublish.RealmGuard.Registry");

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> resolve = resolve ?? ((host, ct) => Dns.GetHostAddressesAsync(host, ct));

    /// <summary>Makes a handler connect only to where realms may be. Its connections are not kept, since each is checked on behalf of one registry.</summary>
    /// <param name="handler">The handler.</param>
    public void Protect(SocketsHttpHandler handler)
    {
        handler.ConnectCallback = ConnectAsync;
        handler.PooledConnectionLifetime = TimeSpan.Zero;
    }

    /// <summary>The addresses of a realm's host that a registry's token requests may go to.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="host">The realm's host.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>At least one address.</returns>
    /// <exception cref="ImagePublishException"><c>IMG5003</c>: there is none.</exception>
    public async Task<IPAddress[]> ResolveAsync(Registry registry, string host, CancellationToken ct)
    {
        var addresses = await ResolveAnyAsync(host, ct);
        if (Array.TrueForAll(addresses, address => AddressReaches.Of(address) == AddressReach.Public))
            return addresses;
        var reach = await ReachOfAsync(registry, ct);
        var allowed = Array.FindAll(addresses, address => Allows(reach, AddressReaches.Of(address)));
        return allowed.Length > 0 ? allowed : throw new ImagePublishException(
            DiagnosticCodes.UntrustedRealm,
            $"{registry} wants tokens to be asked for at {Text.Shown(host)}, which is refused: its address {addresses[0]} is inside this machine or network, where the registry is not.");
    }

    private static bool Allows(AddressReach registry, AddressReach realm) => realm switch
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
        var isDirect = request.RequestUri is { } uri && uri.IdnHost.Trim('[', ']').Equals(endPoint.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase) && uri.Port == endPoint.Port;
        var addresses = isDirect && request.Options.TryGetValue(RegistryOption, out var registry)
            ? await ResolveAsync(registry, endPoint.Host, ct)
            : await ResolveAnyAsync(endPoint.Host, ct);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A registry inside an organisation has its token service there too. One that is also elsewhere proves nothing.
    private async Task<AddressReach> ReachOfAsync(Registry registry, CancellationToken ct)
    {
        if (registry.IsLoopback)
            return AddressReach.Loopback;
        var addresses = await ResolveAnyAsync(registry == Registry.DockerHub ? registry.ApiHost : registry.HostName, ct);
        var reaches = addresses.Select(AddressReaches.Of).Distinct().ToArray();
        return reaches is [var only] ? only : AddressReach.Public;
    }

    private async Task<IPAddress[]> ResolveAnyAsync(string host, CancellationToken ct)
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, ct);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
    }
}
