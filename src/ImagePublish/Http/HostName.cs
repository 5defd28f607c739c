using System.Net;

namespace ImagePublish.Http;

/// <summary>What the text of a host says by itself, before it is resolved.</summary>
internal static class HostName
{
    /// <summary>A host in lower case, without brackets and without the dot of the root zone.</summary>
    public static string Normalize(string host) => host.Trim('[', ']').TrimEnd('.').ToLowerInvariant();

    public static bool IsLoopback(string host) =>
        host == "localhost"
        || host.EndsWith(".localhost", StringComparison.Ordinal)
        || (IPAddress.TryParse(host, out var address) && AddressReaches.Classify(address) == AddressReach.Loopback);
}
