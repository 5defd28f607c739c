using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ImagePublish.Http;

internal enum AddressReach
{
    Public,

    Private,

    Loopback,

    /// <summary>From this network segment; clouds keep their machines' secrets there. Also what is no host's address at all.</summary>
    LinkLocal,
}

/// <summary>Sorts addresses by <see cref="AddressReach"/>.</summary>
/// <remarks>The special-purpose registries of RFC 6890 and the addresses that carry an IPv4 address inside.</remarks>
internal static class AddressReaches
{
    private static readonly (IPNetwork Network, AddressReach Reach)[] Special =
    [
        (IPNetwork.Parse("127.0.0.0/8"), AddressReach.Loopback),
        (IPNetwork.Parse("::1/128"), AddressReach.Loopback),
        (IPNetwork.Parse("10.0.0.0/8"), AddressReach.Private),
        (IPNetwork.Parse("172.16.0.0/12"), AddressReach.Private),
        (IPNetwork.Parse("192.168.0.0/16"), AddressReach.Private),
        (IPNetwork.Parse("100.64.0.0/10"), AddressReach.Private),
        (IPNetwork.Parse("192.0.0.0/24"), AddressReach.Private),
        (IPNetwork.Parse("198.18.0.0/15"), AddressReach.Private),
        (IPNetwork.Parse("fc00::/7"), AddressReach.Private),
        (IPNetwork.Parse("fec0::/10"), AddressReach.Private),
        (IPNetwork.Parse("64:ff9b:1::/48"), AddressReach.Private),
        (IPNetwork.Parse("0.0.0.0/8"), AddressReach.LinkLocal),
        (IPNetwork.Parse("169.254.0.0/16"), AddressReach.LinkLocal),
        (IPNetwork.Parse("224.0.0.0/3"), AddressReach.LinkLocal),
        (IPNetwork.Parse("::/128"), AddressReach.LinkLocal),
        (IPNetwork.Parse("fe80::/10"), AddressReach.LinkLocal),
        (IPNetwork.Parse("fd00:ec2::254/128"), AddressReach.LinkLocal),
        (IPNetwork.Parse("ff00::/8"), AddressReach.LinkLocal),
    ];

    public static AddressReach Classify(IPAddress address)
    {
        var plain = Inner(address) ?? address;
        return Special
            .Where(special => special.Network.Contains(plain))
            .Select(special => special.Reach)
            .DefaultIfEmpty(AddressReach.Public)
            .Max();
    }

    // IPv4 in IPv6: mapped, compatible, translated (RFC 6052) and 6to4 (RFC 3056).
    private static IPAddress? Inner(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return null;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        ReadOnlySpan<byte> bytes = address.GetAddressBytes();
        var isCompatible = bytes[..12].IndexOfAnyExcept((byte)0) < 0 && BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) > 1;
        var isTranslated = bytes.StartsWith((ReadOnlySpan<byte>)[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]);
        if (isCompatible || isTranslated)
            return new IPAddress(bytes[12..]);
        return bytes is [0x20, 0x02, ..] ? new IPAddress(bytes[2..6]) : null;
    }
}

/// <summary>Looks up hosts.</summary>
internal static class HostAddresses
{
    /// <summary>The addresses of a host.</summary>
    /// <returns>None where nothing here knows the name.</returns>
    public static async Task<IReadOnlyList<IPAddress>> LookUpAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal))
            return [literal];
        if (HostName.IsLoopback(HostName.Normalize(host)))
            return IPAddress.TryParse(HostName.Normalize(host), out var own) ? [own] : [IPAddress.Loopback];
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException)
        {
            // Whoever has to ask through a proxy often can't look names up.
            return [];
        }
    }
}
