using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>What the search for credentials knows of the machine: everything is passed in, nothing is read from the environment.</summary>
internal sealed record CredentialEnvironment
{
    public required Func<string, string?> Variable { get; init; }

    public string? HomeFolder { get; init; }

    /// <summary>The user's number, which names podman's folder below <c>/run/containers</c> where there is no <c>XDG_RUNTIME_DIR</c>. Null
    /// where there is none.</summary>
    public int? UserId { get; init; }

    /// <summary>The one registry that variables without a host are for: the one that a build with exactly one registry delivers to. Null
    /// with none or several.</summary>
    public Registry? SoleRegistry { get; init; }

    /// <summary>The one registry that an image is published to; null with none or several, and where nothing is published.</summary>
    public Registry? PushRegistry { get; init; }

    /// <summary>The registry of the base image that is published upon; null where there is none.</summary>
    public Registry? BaseRegistry { get; init; }

    /// <summary>The registries of the build that others of it can be mistaken for. A variable whose name fits two of them is for
    /// neither.</summary>
    public IReadOnlyCollection<Registry> Registries { get; init; } = [];

    public Func<IEnumerable<string>> VariableNames { get; init; } = () => [];

    public bool IsWindows { get; init; } = OperatingSystem.IsWindows();

    /// <summary>How long a credential helper may take. Some ask a cloud, some ask the user.</summary>
    public TimeSpan HelperTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A fact of the machine's firmware (DMI) that its cloud writes there, such as <c>sys_vendor</c>; null where it has
    /// none.</summary>
    public Func<string, string?> Firmware { get; init; } = _ => null;

    /// <summary>Whether the machine's cloud is asked for an identity although the firmware does not say that there is one.</summary>
    public bool AsksMachine { get; init; }

    /// <summary>Finds the registries whose variables have the same names.</summary>
    public static IReadOnlyCollection<Registry> LookAlikes(IEnumerable<Registry> registries) =>
        [.. registries.Distinct().GroupBy(EnvironmentCredentials.Suffix).Where(group => group.Count() > 1).SelectMany(group => group)];

    internal string? DockerFolder => Set("DOCKER_CONFIG") ?? (HomeFolder is { Length: > 0 } home ? Path.Combine(home, ".docker") : null);

    internal string? DockerConfig => DockerFolder is { } folder ? Path.Combine(folder, "config.json") : null;

    /// <summary>Podman's files of credentials, the most important first.</summary>
    internal IEnumerable<string> ContainersAuthFiles
    {
        get
        {
            if (Set("REGISTRY_AUTH_FILE") is { } file)
                yield return file;
            if (Set("XDG_RUNTIME_DIR") is { } runtime)
                yield return Path.Combine(runtime, "containers", "auth.json");
            else if (UserId is { } user)
                yield return FormattableString.Invariant($"/run/containers/{user}/auth.json");
            if ((Set("XDG_CONFIG_HOME") ?? (HomeFolder is { Length: > 0 } home ? Path.Combine(home, ".config") : null)) is { } config)
                yield return Path.Combine(config, "containers", "auth.json");
        }
    }

    /// <summary>A variable's value; one that is empty counts as not set, as CI systems leave secrets that a build may not see.</summary>
    internal string? Set(string name) => Variable(name) is { Length: > 0 } value ? value : null;
}
