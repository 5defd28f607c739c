using ImagePublish.Storage;

namespace ImagePublish.Tasks;

/// <summary>The base of tasks that know registries and the local store: which, how they are reached, and what the repository is
/// called.</summary>
public abstract class RegistryTask : ImageTask, IRegistryInputs
{
    /// <summary>One or more registry hosts; empty for the local store.</summary>
    public string? Registry { get; set; }

    /// <summary>What the names of all repositories begin with.</summary>
    public string? RepositoryPrefix { get; set; }

    /// <summary>The repository's name in the registry.</summary>
    public string? Repository { get; set; }

    /// <summary>Registry, repository and tag in one.</summary>
    public string? Name { get; set; }

    /// <summary>The name of the app's main file without extension: what the repository is called otherwise.</summary>
    public string AssemblyName { get; set; } = "";

    /// <summary>The local store's folder; empty for the user's own.</summary>
    public string? Store { get; set; }

    /// <summary>Whether other users use the store too, and are trusted.</summary>
    public bool StoreShared { get; set; }

    /// <summary>Registries that may be spoken to in plain http.</summary>
    public string? InsecureRegistries { get; set; }

    /// <summary>Hosts of token services that get every registry's credentials.</summary>
    public string? TrustedTokenHosts { get; set; }

    /// <summary>Hosts that registries may lead to although they are inside this machine or network.</summary>
    public string? TrustedRedirectHosts { get; set; }

    /// <summary>Hosts that get passwords and tokens over plain http too.</summary>
    public string? PlainTextCredentials { get; set; }

    /// <summary>Whether the build's identity signs in to registries of clouds: <c>auto</c>, <c>true</c>, <c>false</c>.</summary>
    public string? CloudIdentity { get; set; }

    /// <summary>Whether nothing may be asked of a registry: a published image stays in the local store.</summary>
    public bool Offline { get; set; }

    internal ImageStore OpenStore() =>
        StoreFolder.Open(string.IsNullOrWhiteSpace(Store) ? null : FullPath(Store), StoreShared, BuildSession.TaskLog, BuildEngine4);
}
