using System.Net;
using System.Net.Sockets;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Http;

/// <summary>Looks up whether a host is inside this machine or its network.</summary>
internal static class InnerAddresses
{
    /// <summary>An address of a host that cannot be reached from everywhere.</summary>
    /// <returns>The address; null where there is none, or where nothing here knows the name.</returns>
    public static async Task<IPAddress?> FindAsync(string host, CancellationToken cancellationToken)
    {
        if (RealmPolicy.IsLoopbackName(RealmPolicy.Normalize(host)))
            return IPAddress.TryParse(RealmPolicy.Normalize(host), out var own) ? own : IPAddress.Loopback;
        try
        {
            var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(host, cancellationToken);
            return Array.Find(addresses, address => AddressReaches.Classify(address) != AddressReach.Public);
        }
        catch (SocketException)
        {
            // Whoever has to ask through a proxy often can't look names up.
            return null;
        }
    }
}
