using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Realms;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Credentials of this product's own environment variables, for one host each; without a host for the registry of a build that has
/// only one.</summary>
/// <remarks><c>IMAGE_REGISTRY_HOST__x</c> says which host <c>IMAGE_REGISTRY_USERNAME__x</c> and <c>IMAGE_REGISTRY_PASSWORD__x</c> are for.
/// Without it x is the host itself, with <c>_</c> for dots and the colon. A <c>-</c> becomes <c>_</c> too, so <c>registry-acme.com</c>,
/// which anyone can register, would get what is meant for <c>registry.acme.com</c>: a host with a hyphen in its registered name has to be
/// named. All other hosts for which x is the same are of one domain, and so of one owner.</remarks>
internal sealed class EnvironmentCredentials(CredentialEnvironment environment) : ICredentialSource
{
    internal const string Host = "IMAGE_REGISTRY_HOST";
    internal const string Username = "IMAGE_REGISTRY_USERNAME";
    internal const string Password = "IMAGE_REGISTRY_PASSWORD";
    internal const string IdToken = "IMAGE_REGISTRY_ID_TOKEN";
    private const string EntraToken = "IMAGE_REGISTRY_ENTRA_TOKEN";

    /// <summary>What to do where a registry wants credentials, and there are none for it.</summary>
    public static string Advice(Registry registry) =>
        $"No credentials for {registry} were found. Sign in with 'docker login' or the target LoginImageRegistry, or set "
        + $"{Username}__{Suffix(registry)} and {Password}__{Suffix(registry)}"
        + (IsAmbiguous(registry) ? $", and {Host}__{Suffix(registry)} to {registry}." : ".");

    public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        var found = NamesFor(environment, registry).Select(name => Read($"__{name}")).FirstOrDefault(credential => credential is not null);
        return ValueTask.FromResult(found ?? (registry == environment.SoleRegistry ? Read("") : null));
    }

    /// <summary>The names, after <c>__</c>, under which variables are for a registry.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5011</c>: variables are set that can be meant for it, and for another; <c>IMG5002</c>:
    /// a host is malformed.</exception>
    internal static IEnumerable<string> NamesFor(CredentialEnvironment environment, Registry registry)
    {
        var hosts = environment
            .VariableNames()
            .Where(name => name.StartsWith(Host + "__", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        foreach (var variable in hosts)
        {
            if (environment.Set(variable) is { } host && ReadHost(variable, host) == registry)
                yield return variable[(Host.Length + 2)..];
        }

        var suffix = Suffix(registry);
        foreach (var name in new[] { suffix, suffix.ToUpperInvariant() }.Distinct())
        {
            if (
                environment.Set($"{Host}__{name}") is not null
                || Array.Find([Password, EntraToken, IdToken, Username], one => environment.Set($"{one}__{name}") is not null)
                    is not { } set
            )
                continue;
            var other = environment.Registries.FirstOrDefault(known => known != registry && Suffix(known) == suffix);
            if (other is not null || IsAmbiguous(registry))
                throw Ambiguous($"{set}__{name}", name, registry.Host, other?.Host ?? registry.Host.Replace('-', '.'));
            yield return name;
        }
    }

    private static bool IsAmbiguous(Registry registry) => DomainName.IsRegisteredWithHyphen(registry.HostName);

    private static Registry ReadHost(string variable, string host) =>
        Registry.TryParse(host, out var registry)
            ? registry
            : throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"The environment variable {variable} is not a registry's host: '{Text.Sanitize(host)}'. Give the host without "
                    + "https:// and path, such as ghcr.io or localhost:5000."
            );

    private static ImagePublishException Ambiguous(string variable, string name, string host, string other) =>
        new(
            DiagnosticCodes.CredentialsAmbiguous,
            $"The environment variable {variable} could be for {host} or for {other}, so it was not used. Specify which of "
                + $"them it is for: set {Host}__{name} to that host."
        );

    internal static string Suffix(Registry registry) => string.Concat(registry.Host.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private Credential? Read(string suffix)
    {
        var (username, password) = (environment.Set(Username + suffix), environment.Set(Password + suffix));
        return (username, password, environment.Set(EntraToken + suffix)) switch
        {
            ({ } user, { } secret, _) => Credential.Create(user, secret),
            (null, null, { } token) => new Credential { EntraToken = token },
            (null, null, null) => null,
            (null, _, _) => throw Half(Password + suffix, Username + suffix),
            _ => throw Half(Username + suffix, Password + suffix),
        };
    }

    private static ImagePublishException Half(string set, string missing) =>
        new(
            DiagnosticCodes.CredentialsUnusable,
            $"The environment variable {set} is set, but {missing} is not or is empty. Set both, or neither."
        );
}

/// <summary>What the environment says for signing in to one registry: with its host in the name, or without.</summary>
internal static class LoginVariables
{
    public static string? Username(CredentialEnvironment environment, Registry registry) =>
        Read(environment, EnvironmentCredentials.Username, registry);

    public static string? Password(CredentialEnvironment environment, Registry registry) =>
        Read(environment, EnvironmentCredentials.Password, registry);

    private static string? Read(CredentialEnvironment environment, string name, Registry registry) =>
        EnvironmentCredentials
            .NamesFor(environment, registry)
            .Select(host => environment.Set($"{name}__{host}"))
            .FirstOrDefault(value => value is not null)
        ?? environment.Set(name);
}
