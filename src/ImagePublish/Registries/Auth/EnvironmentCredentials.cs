using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Credentials of this product's own environment variables, for one host each; without a host for the registry of a build that has only one.</summary>
internal sealed class EnvironmentCredentials(CredentialEnvironment environment) : ICredentialSource
{
    internal const string Username = "IMAGE_REGISTRY_USERNAME";
    internal const string Password = "IMAGE_REGISTRY_PASSWORD";
    private const string EntraToken = "IMAGE_REGISTRY_ENTRA_TOKEN";

    /// <summary>What to do where credentials are missing.</summary>
    public static string Advice(Registry registry) =>
        $"sign in with 'docker login' or the target LoginImageRegistry, or set {Username}__{Suffix(registry)} and {Password}__{Suffix(registry)}.";

    /// <inheritdoc/>
    public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        var suffix = Suffix(registry);
        var found = Read($"__{suffix}") ?? Read($"__{suffix.ToUpperInvariant()}") ?? (registry == environment.SoleRegistry ? Read("") : null);
        return ValueTask.FromResult(found);
    }

    internal static string Suffix(Registry registry) => string.Concat(registry.Host.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private Credential? Read(string suffix)
    {
        var (username, password) = (environment.Set(Username + suffix), environment.Set(Password + suffix));
        return (username, password, environment.Set(EntraToken + suffix)) switch
        {
            ({ } user, { } secret, _) => Credential.Of(user, secret),
            (null, null, { } token) => new Credential { EntraToken = token },
            (null, null, null) => null,
            (null, _, _) => throw Half(Password + suffix, Username + suffix),
            _ => throw Half(Username + suffix, Password + suffix),
        };
    }

    private static ImagePublishException Half(string set, string missing) =>
        new(DiagnosticCodes.CredentialsUnusable, $"The environment variable {set} is set, but {missing} is not or is empty. Set both, or neither.");
}
