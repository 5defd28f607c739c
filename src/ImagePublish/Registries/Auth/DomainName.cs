using System.Collections.Frozen;
using System.Net;

namespace ImagePublish.Registries.Auth;

/// <summary>Tells whether two host names are of one owner, without the public suffix list: rather no too often than yes.</summary>
internal static class DomainName
{
    private const int FewestLabels = 2;

    // Second levels below a country that everybody can register under, and domains that clouds give their customers names in.
    private static readonly FrozenSet<string> SharedSecondLevels = FrozenSet.Create(StringComparer.Ordinal, "ac", "co", "com", "edu", "gob", "gouv", "gov", "gv", "mil", "ne", "net", "nom", "or", "org", "sch");

    private static readonly FrozenSet<string> SharedDomains = FrozenSet.Create(
        StringComparer.Ordinal,
        "amazonaws.com",
        "amazonaws.com.cn",
        "appspot.com",
        "azure.com",
        "azure-api.net",
        "azurecr.cn",
        "azurecr.io",
        "azurecr.us",
        "azurecontainerapps.io",
        "azurewebsites.net",
        "azurefd.net",
        "cloudapp.net",
        "cloudflare.net",
        "cloudfront.net",
        "duckdns.org",
        "fly.dev",
        "github.io",
        "gitlab.io",
        "googleusercontent.com",
        "herokuapp.com",
        "jfrog.io",
        "netlify.app",
        "ngrok.io",
        "ngrok.app",
        "ngrok-free.app",
        "nip.io",
        "onrender.com",
        "pages.dev",
        "pkg.dev",
        "railway.app",
        "run.app",
        "sslip.io",
        "trafficmanager.net",
        "vercel.app",
        "web.app",
        "windows.net",
        "workers.dev");

    /// <summary>Whether two names end in the same registered domain.</summary>
    public static bool AreOfOneOwner(string one, string other)
    {
        if (IPAddress.TryParse(one, out _) || IPAddress.TryParse(other, out _))
            return false;
        var (a, b) = (one.Split('.'), other.Split('.'));
        var common = 0;
        while (common < Math.Min(a.Length, b.Length) && a[^(common + 1)] == b[^(common + 1)])
            common++;
        return common >= RegisteredLabels(a);
    }

    // Labels of the registered domain at the end of a name: two for example.com, three for example.co.uk and example.azurecr.io.
    private static int RegisteredLabels(string[] labels)
    {
        if (labels.Length < FewestLabels)
            return FewestLabels;
        for (var depth = labels.Length; depth >= FewestLabels; depth--)
        {
            if (SharedDomains.Contains(string.Join('.', labels[^depth..])))
                return int.MaxValue;
        }

        var isCountry = labels[^1].Length == 2;
        return isCountry && SharedSecondLevels.Contains(labels[^2]) ? FewestLabels + 1 : FewestLabels;
    }
}
