using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Names of environment variables for credentials.</summary>
internal static class EnvironmentCredentials
{
    public static string Suffix(Registry registry) => string.Concat(registry.Host.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    public static string Advice(Registry registry) =>
        $"sign in with docker login or LoginImageRegistry, or set IMAGE_REGISTRY_USERNAME__{Suffix(registry)} and IMAGE_REGISTRY_PASSWORD__{Suffix(registry)}.";
}
