using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Tasks;

/// <summary>How registries are reached: read once from the task and the environment.</summary>
/// <param name="Options">How the client behaves.</param>
/// <param name="Credentials">Where credentials come from.</param>
/// <param name="Environment">What the search for credentials knows of the machine.</param>
/// <param name="Key">The same for settings that may share a session. It holds no secret.</param>
internal sealed record SessionSettings(RegistryClientOptions Options, ICredentialSource Credentials, CredentialEnvironment Environment, string Key)
{
    /// <summary>Reads them.</summary>
    /// <param name="insecureRegistries">Hosts that may be spoken to in plain http.</param>
    /// <param name="trustedTokenHosts">Hosts of token services that get every registry's credentials.</param>
    /// <param name="destinations">Where the build delivers to: credentials without a host are for the registry that it is the only one of.</param>
    /// <param name="offline">Whether nothing may be asked.</param>
    /// <returns>The settings.</returns>
    public static SessionSettings Read(string? insecureRegistries, string? trustedTokenHosts, IReadOnlyList<Repository> destinations, bool offline) =>
        Read(insecureRegistries, trustedTokenHosts, destinations.Select(repository => repository.Registry), offline);

    /// <summary>Reads them.</summary>
    /// <param name="insecureRegistries">Hosts that may be spoken to in plain http.</param>
    /// <param name="trustedTokenHosts">Hosts of token services that get every registry's credentials.</param>
    /// <param name="known">The registries that are asked: credentials without a host are for the only one.</param>
    /// <param name="offline">Whether nothing may be asked.</param>
    /// <returns>The settings.</returns>
    public static SessionSettings Read(string? insecureRegistries, string? trustedTokenHosts, IEnumerable<Registry> known, bool offline)
    {
        var insecure = Lists.Words(insecureRegistries).Select(host => Lists.Named("ImageInsecureRegistries", host, Registry.Parse)).ToHashSet();
        var tokenHosts = Lists.Words(trustedTokenHosts);
        if (Array.Find(tokenHosts, host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { } wrong)
            throw Lists.Invalid("ImageTrustedTokenHosts", wrong, "expected a host without https:// and path, such as auth.example.com");
        var registries = known.Distinct().ToList();
        var options = new RegistryClientOptions
        {
            InsecureRegistries = insecure,
            TrustedTokenHosts = tokenHosts,
            Offline = offline,
            Redactor = EngineSession.Redactor,
            CertificateFile = Variable("SSL_CERT_FILE"),
            DockerCertificateFolders = CertificateFolders(),
            Proxies = new ProxySettings(Variable("HTTP_PROXY") ?? Variable("http_proxy"), Variable("HTTPS_PROXY") ?? Variable("https_proxy"), Variable("NO_PROXY") ?? Variable("no_proxy")),
        };
        var environment = new CredentialEnvironment
        {
            Variable = System.Environment.GetEnvironmentVariable,
            HomeFolder = System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile, System.Environment.SpecialFolderOption.DoNotVerify),
            UserId = !OperatingSystem.IsWindows() && System.Environment.IsPrivilegedProcess ? 0 : null,
            SoleRegistry = registries is [var sole] ? sole : null,
        };
        return new SessionSettings(options, new CredentialChain(environment), environment, $"{(offline ? "offline " : "")}{environment.SoleRegistry} {string.Join(' ', insecure.Select(registry => registry.Host).Order(StringComparer.Ordinal))} {string.Join(' ', tokenHosts.Order(StringComparer.Ordinal))}");
    }

    private static string[] CertificateFolders()
    {
        var home = System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile, System.Environment.SpecialFolderOption.DoNotVerify);
        return OperatingSystem.IsWindows()
            ? [Path.Combine(home, ".docker", "certs.d"), Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.CommonApplicationData), "docker", "certs.d")]
            : [Path.Combine(home, ".docker", "certs.d"), "/etc/docker/certs.d", "/etc/containers/certs.d"];
    }

    private static string? Variable(string name) => Lists.Optional(System.Environment.GetEnvironmentVariable(name));
}
