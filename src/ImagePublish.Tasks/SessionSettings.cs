using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>How registries are reached: read once from the task and the environment.</summary>
internal sealed record SessionSettings(
    RegistryClientOptions Options,
    ICredentialSource Credentials,
    CredentialEnvironment Environment,
    string Key
)
{
    /// <summary>Reads them.</summary>
    /// <param name="known">The registries that the build delivers to, or that a command names: credentials without a host are for the only
    /// one.</param>
    public static SessionSettings Read(IRegistryInputs inputs, IEnumerable<Registry> known, IEnumerable<Registry> others) =>
        Read(inputs, known, others, PublishedRegistries.None);

    public static SessionSettings Read(
        IRegistryInputs inputs,
        IEnumerable<Registry> known,
        IEnumerable<Registry> others,
        PublishedRegistries published
    )
    {
        HashSet<Registry> insecure = [.. Hosts(inputs.InsecureRegistries, "ImageInsecureRegistries"), .. SdkInsecureRegistries()];
        var registries = known.Distinct().ToList();
        var lookAlikes = CredentialEnvironment.LookAlikes([.. registries, .. others]);
        published = published.WithoutNeedlessBase();
        var environment = ReadEnvironment(registries is [var sole] ? sole : null, published, lookAlikes);
        var options = new RegistryClientOptions
        {
            InsecureRegistries = insecure,
            TrustedTokenHosts = BareHosts(inputs.TrustedTokenHosts, "ImageTrustedTokenHosts", "auth.example.com"),
            TrustedRedirectHosts = BareHosts(inputs.TrustedRedirectHosts, "ImageTrustedRedirectHosts", "storage.example.com"),
            PlainTextCredentials = Hosts(inputs.PlainTextCredentials, "ImagePlainTextCredentials"),
            Offline = inputs.Offline,
            Redactor = BuildSession.Redactor,
            CertificateFile = Variable("SSL_CERT_FILE"),
            DockerCertificateFolders = CertificateFolders(),
            Proxies = ReadProxies(),
            Identities = ReadIdentities(inputs.CloudIdentity, environment),
        };
        string[] key =
        [
            $"identities: {options.Identities?.AsksMachine}, offline: {inputs.Offline}",
            string.Join(',', environment.SoleRegistry?.Host, published.Push?.Host, published.Base?.Host),
            $"{published.SignIn?.Id}",
            Sorted(insecure.Select(registry => registry.Host)),
            Sorted(options.PlainTextCredentials.Select(registry => registry.Host)),
            Sorted(options.TrustedTokenHosts),
            Sorted(options.TrustedRedirectHosts),
            Sorted(lookAlikes.Select(registry => registry.Host)),
        ];
        return new SessionSettings(options, new CredentialChain(environment), environment, string.Join('|', key));
    }

    private static CredentialEnvironment ReadEnvironment(
        Registry? soleRegistry,
        PublishedRegistries published,
        IReadOnlyCollection<Registry> lookAlikes
    ) =>
        new()
        {
            Variable = published.Variable,
            HomeFolder = System.Environment.GetFolderPath(
                System.Environment.SpecialFolder.UserProfile,
                System.Environment.SpecialFolderOption.DoNotVerify
            ),
            UserId = !OperatingSystem.IsWindows() && System.Environment.IsPrivilegedProcess ? 0 : null,
            SoleRegistry = soleRegistry,
            PushRegistry = published.Push,
            BaseRegistry = published.Base,
            Registries = lookAlikes,
            VariableNames = () => TaskEnvironment.Names,
            Firmware = ReadFirmware,
        };

    private static CredentialEnvironment? ReadIdentities(string? text, CredentialEnvironment environment) =>
        InputParser.Optional(text)?.ToLowerInvariant() switch
        {
            null or "auto" => environment,
            "true" => environment with { AsksMachine = true },
            "false" => null,
            _ => throw InputParser.Invalid("ImageCloudIdentity", text!, "expected auto, true or false"),
        };

    // Only Linux has it where everybody can read it.
    private static string? ReadFirmware(string name)
    {
        try
        {
            return File.ReadAllText($"/sys/class/dmi/id/{name}").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The proxies that the environment names.</summary>
    public static ProxySettings ReadProxies() =>
        new(
            Variable("HTTP_PROXY") ?? Variable("http_proxy"),
            Variable("HTTPS_PROXY") ?? Variable("https_proxy"),
            Variable("NO_PROXY") ?? Variable("no_proxy")
        );

    // As the .NET SDK reads it: what is no host is no host of a registry either.
    private static IEnumerable<Registry> SdkInsecureRegistries() =>
        InputParser
            .Words(Variable("DOTNET_CONTAINER_INSECURE_REGISTRIES"))
            .Select(word => Registry.TryParse(word, out var registry) ? registry : null)
            .OfType<Registry>();

    private static HashSet<Registry> Hosts(string? list, string property) =>
        [.. InputParser.Words(list).Select(host => InputParser.Named(property, host, Registry.Parse))];

    private static string[] BareHosts(string? list, string property, string example)
    {
        var hosts = InputParser.Words(list);
        return Array.Find(hosts, host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { } wrong
            ? throw InputParser.Invalid(property, wrong, $"expected a host without https:// and path, such as {example}")
            : hosts;
    }

    private static string Sorted(IEnumerable<string> hosts) => string.Join(' ', hosts.Order(StringComparer.Ordinal));

    private static string[] CertificateFolders()
    {
        var home = System.Environment.GetFolderPath(
            System.Environment.SpecialFolder.UserProfile,
            System.Environment.SpecialFolderOption.DoNotVerify
        );
        return OperatingSystem.IsWindows()
            ?
            [
                Path.Combine(home, ".docker", "certs.d"),
                Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.CommonApplicationData), "docker", "certs.d"),
            ]
            : [Path.Combine(home, ".docker", "certs.d"), "/etc/docker/certs.d", "/etc/containers/certs.d"];
    }

    private static string? Variable(string name) => InputParser.Optional(TaskEnvironment.Variable(name));
}

/// <summary>The registries of one publish, for the .NET SDK's credentials, which name no host.</summary>
internal sealed record PublishedRegistries(Registry? Push, Registry? Base)
{
    public static PublishedRegistries None { get; } = new(null, null);

    /// <summary>What Visual Studio signs in with.</summary>
    public VisualStudioSignIn? SignIn { get; init; }

    public string? Variable(string name) => SignIn?.Variable(name) ?? TaskEnvironment.Variable(name);

    /// <summary>The same without the base's registry, unless there is a credential for that alone: other bases are no reason for another
    /// session, and before a project is compiled its base is unknown.</summary>
    public PublishedRegistries WithoutNeedlessBase() => SdkCredentials.HavePull(Variable) ? this : this with { Base = null };

    public static PublishedRegistries Of(IEnumerable<Repository> destinations, Bases.ImageSource? source) =>
        new(
            destinations.Select(repository => repository.Registry).Distinct().ToList() is [var sole] ? sole : null,
            source is Bases.RegistryImage remote ? remote.Location.Repository.Registry : null
        );
}

/// <summary>What tasks have in common that reach registries.</summary>
internal interface IRegistryInputs
{
    string? InsecureRegistries { get; }

    string? TrustedTokenHosts { get; }

    string? TrustedRedirectHosts { get; }

    string? PlainTextCredentials { get; }

    string? CloudIdentity { get; }

    bool Offline { get; }
}
