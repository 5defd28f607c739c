using System.Text.RegularExpressions;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Identities;

internal enum Cloud
{
    Azure,
    Amazon,
    Google,
}

/// <summary>A registry of a cloud, recognised by its exact host: whoever can register a similar name gets nothing.</summary>
/// <param name="Suffix">Where the registry is by its name: <c>io</c>, <c>cn</c> or <c>us</c> of Azure; <c>amazonaws.com</c> and the like
/// of Amazon.</param>
internal sealed partial record CloudHost(Registry Registry, Cloud Cloud, string Suffix)
{
    private const string AmazonPublic = "public.ecr.aws";

    private static readonly string[] Endings =
    [
        ".azurecr.io",
        ".azurecr.cn",
        ".azurecr.us",
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".on.aws",
        ".on.amazonwebservices.com.cn",
        ".pkg.dev",
        ".gcr.io",
    ];

    /// <summary>The region of one of Amazon's.</summary>
    public string Region { get; private init; } = "";

    public bool IsFips { get; private init; }

    public bool IsPublic { get; private init; }

    /// <summary>Whether a registry's name is worth a closer look. It is asked of every registry that wants a sign-in.</summary>
    public static bool IsCandidate(Registry registry) =>
        registry.Host is "gcr.io" or AmazonPublic || Array.Exists(Endings, end => registry.Host.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The cloud's registry of that name; null where it is none.</summary>
    public static CloudHost? Find(Registry registry)
    {
        var host = registry.Host;
        if (host == AmazonPublic)
            return new CloudHost(registry, Cloud.Amazon, "amazonaws.com") { Region = "us-east-1", IsPublic = true };
        if (AzurePattern().Match(host) is { Success: true } azure)
            return new CloudHost(registry, Cloud.Azure, azure.Groups["suffix"].Value);
        if (GooglePattern().IsMatch(host))
            return new CloudHost(registry, Cloud.Google, "");
        if (AmazonPattern().Match(host) is not { Success: true } amazon)
            return null;
        var (region, suffix) = (amazon.Groups["region"].Value, amazon.Groups["suffix"].Value);
        var isChina = region.StartsWith("cn-", StringComparison.Ordinal);
        return isChina == suffix.EndsWith(".cn", StringComparison.Ordinal)
            ? new CloudHost(registry, Cloud.Amazon, suffix) { Region = region, IsFips = amazon.Groups["fips"].Success }
            : null;
    }

    // The second part is of registries whose names have a hash: https://aka.ms/acr/dnl
    [GeneratedRegex(@"\A[a-z0-9]{5,50}(-[a-z0-9]{4,32})?\.azurecr\.(?<suffix>io|cn|us)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex AzurePattern();

    [GeneratedRegex(
        @"\A[0-9]{12}\.dkr(\.ecr(?<fips>-fips)?\.(?<region>[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2})\.(?<suffix>amazonaws\.com(\.cn)?)"
            + @"|-ecr(?<fips>-fips)?\.(?<region>[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2})\.(?<suffix>on\.aws|on\.amazonwebservices\.com\.cn))\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex AmazonPattern();

    // Locations are regions or continents. Two hosts only mirror what everybody may pull.
    [GeneratedRegex(
        @"\A((asia|eu|europe|us|[a-z]+-[a-z]+[0-9]{1,2})-docker\.pkg\.dev|docker\.[a-z]+-[a-z]+[0-9]{1,2}\.rep\.pkg\.dev"
            + @"|((?!mirror\.|k8s\.)[a-z0-9-]+\.)?gcr\.io)\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex GooglePattern();
}
