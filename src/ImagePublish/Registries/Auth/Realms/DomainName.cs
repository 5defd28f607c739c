using System.Collections.Frozen;
using System.Net;
using System.Text;

namespace ImagePublish.Registries.Auth.Realms;

/// <summary>Compares the owners of two host names: names below one registrable domain have the same owner.</summary>
/// <remarks>The <see href="https://publicsuffix.org/">Public Suffix List</see> has the domains below which everyone can register a
/// name.</remarks>
internal static class DomainName
{
    // Domains of clouds that give names to their customers, and are not in the list.
    private static readonly FrozenSet<string> CustomerDomains = FrozenSet.Create(
        StringComparer.Ordinal,
        "aliyuncs.com",
        "amazonaws.com",
        "amazonaws.com.cn",
        "azure.com",
        "azurecontainerapps.io",
        "azurecr.cn",
        "azurecr.io",
        "azurecr.us",
        "cloudflare.net",
        "googleusercontent.com",
        "jfrog.io",
        "pkg.dev",
        "trafficmanager.net",
        "windows.net"
    );

    // Alibaba's registries, of which the token services have names of their own: dockerauth.<region>, dockerauth-vpc.<region>,
    // dockerauth-ee.<region>.
    private const string Alibaba = ".aliyuncs.com";

    private static readonly Lazy<byte[]> Suffixes = new(ReadSuffixes);

    /// <summary>Whether two hosts have the same owner, as far as their names show it. For addresses, and for names without a domain, they
    /// show nothing.</summary>
    public static bool AreOfOneOwner(string one, string other)
    {
        if (IPAddress.TryParse(one, out _) || IPAddress.TryParse(other, out _))
            return false;
        var (a, b) = (one.Split('.'), other.Split('.'));
        var common = 0;
        while (common < Math.Min(a.Length, b.Length) && a[^(common + 1)] == b[^(common + 1)])
            common++;
        return common > 0 && common > Math.Max(SuffixLabels(a, CustomerDomains), SuffixLabels(b, CustomerDomains));
    }

    /// <summary>Whether a host is the token service that a cloud has for a registry of its own.</summary>
    public static bool IsTokenServiceOf(string registry, string host)
    {
        if (!registry.EndsWith(Alibaba, StringComparison.Ordinal) || !host.EndsWith(Alibaba, StringComparison.Ordinal))
            return false;
        if (
            host[..^Alibaba.Length].Split('.') is not [var service, var region]
            || !(service == "dockerauth" || service.StartsWith("dockerauth-", StringComparison.Ordinal))
        )
            return false;
        var own = registry[..^Alibaba.Length].Split('.') switch
        {
            ["registry" or "registry-vpc" or "registry-internal", var its] => its,
            [_, var its, "cr"] => its,
            _ => null,
        };
        return own == region;
    }

    /// <summary>Whether the registered name has a hyphen: <c>registry-acme.com</c>, and not <c>my-registry.acme.com</c>.</summary>
    public static bool IsRegisteredWithHyphen(string host)
    {
        var labels = host.Split('.');
        if (!host.Contains('-', StringComparison.Ordinal) || labels.Length == 1)
            return false;
        var isTopLevelOdd = labels[^1].Contains('-', StringComparison.Ordinal) && !labels[^1].StartsWith("xn--", StringComparison.Ordinal);
        var own = Math.Min(SuffixLabels(labels, FrozenSet<string>.Empty) + 1, labels.Length);
        return isTopLevelOdd || labels[^own].Contains('-', StringComparison.Ordinal);
    }

    // As https://publicsuffix.org/list/ has it: an exception wins, then the longest rule; without any, the last label is the suffix.
    private static int SuffixLabels(string[] labels, FrozenSet<string> more)
    {
        for (var depth = labels.Length; depth >= 1; depth--)
        {
            var name = string.Join('.', labels[^depth..]);
            if (IsRule('!' + name))
                return depth - 1;
            var isWildcard = depth > 1 && IsRule("*." + string.Join('.', labels[^(depth - 1)..]));
            if (isWildcard || more.Contains(name) || IsRule(name))
                return depth;
        }

        return 1;
    }

    private static bool IsRule(string rule) => Suffixes.Value.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"\n{rule}\n")) >= 0;

    private static byte[] ReadSuffixes()
    {
        using var resource = typeof(DomainName).Assembly.GetManifestResourceStream("ImagePublish.PublicSuffixes.txt")!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}
