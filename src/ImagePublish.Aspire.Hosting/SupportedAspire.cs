using System.Reflection;
using Aspire.Hosting;

namespace ImagePublish.AppHost;

/// <summary>
/// What this package builds on is experimental in Aspire and changes between minor versions. An unknown one is an error at once, instead of
/// a method that is missing in the middle of a deployment.
/// </summary>
internal static class SupportedAspire
{
    public const string Version = "13.6";

    public static void Check(Assembly aspire)
    {
        var version = VersionOf(aspire);
        var parts = version.Split('.');
        if (parts.Length >= 2 && $"{parts[0]}.{parts[1]}" == Version)
            return;
        throw new DistributedApplicationException(
            $"error IMG1043: UseImagePublish supports Aspire.Hosting {Version}, and this AppHost uses {version}. "
                + $"Reference Aspire.Hosting.AppHost {Version}, or the version of ImagePublish.Aspire.Hosting for yours."
        );
    }

    // 13.6.5+commit; the version of the assembly itself is the same for all of a major version.
    private static string VersionOf(Assembly aspire)
    {
        var version = aspire.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return version?.Split('+')[0] ?? $"{aspire.GetName().Version}";
    }
}
