using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>What the environment says for signing in to one registry: with its host in the name, or without.</summary>
internal static class LoginVariables
{
    /// <summary>The user name.</summary>
    public static string? Username(CredentialEnvironment environment, Registry registry) =>
        Read(environment, EnvironmentCredentials.Username, registry);

    /// <summary>The password.</summary>
    public static string? Password(CredentialEnvironment environment, Registry registry) =>
        Read(environment, EnvironmentCredentials.Password, registry);

    private static string? Read(CredentialEnvironment environment, string name, Registry registry) =>
        EnvironmentCredentials
            .NamesFor(environment, registry)
            .Select(host => environment.Set($"{name}__{host}"))
            .FirstOrDefault(value => value is not null)
        ?? environment.Set(name);
}
