using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>What signing in and out share: which registry.</summary>
public abstract class LoginTask : CommandTask
{
    internal Registry SingleRegistry()
    {
        var hosts = InputParser.Words(Registry);
        if (hosts.Length == 0 && InputParser.Optional(Name) is { } name)
            return InputParser.Named("ImageName", name, Reference.Parse).Repository.Registry;
        return hosts.Length == 1
            ? InputParser.Named("ImageRegistry", hosts[0], Oci.Registry.Parse)
            : throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "Signing in and out needs exactly one registry: set ImageRegistry, for example -p:ImageRegistry=ghcr.io."
            );
    }

    internal static RegistryLogin LoginFor(SessionSettings settings, IPublishLog log) =>
        new(settings.Options, settings.Environment, log, TimeProvider.System);

    internal void ReportResult(IPublishLog log, string line, Registry registry, CredentialPlace place)
    {
        log.Information(line);
        Items = [CommandItem.Create(registry.Host, ("Place", place.Place), ("IsHelper", place.IsHelper), ("Changed", place.Changed))];
    }
}

/// <summary>Signs in to a registry: checks the credential and keeps it as docker does. The password is never a property
/// or a parameter.</summary>
public sealed class LoginImageRegistry : LoginTask
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The user name; empty for the environment's.</summary>
    public string? Username { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var registry = SingleRegistry();
        var settings = Settings(registry);
        var username = InputParser.Optional(Username)
            ?? LoginVariables.Username(settings.Environment, registry)
            ?? throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                $"Signing in to {registry} needs a user name: set ImageRegistryUsername, or IMAGE_REGISTRY_USERNAME in the environment."
            );
        var password = LoginVariables.Password(settings.Environment, registry) ?? await ReadPasswordAsync(registry, cancellationToken);
        var place = await LoginFor(settings, log).LoginAsync(registry, Credential.Create(username, password), cancellationToken);
        var where = place.IsHelper
            ? $"with the credential helper '{place.Place}'"
            : $"in '{place.Place}', readable to whoever can read that file";
        ReportResult(log, $"Signed in to {registry} as {username}; the password is kept {where}.", registry, place);
    }

    private static bool IsOnServer => TaskEnvironment.Variable("DOTNET_CLI_USE_MSBUILD_SERVER") is "1" or "true" or "yes";

    // A pipe without a writer must not hang a build.
    private static async Task<string> ReadPasswordAsync(Registry registry, CancellationToken cancellationToken)
    {
        var missing = new ImagePublishException(
            DiagnosticCodes.PropertyMissing,
            $"Signing in to {registry} needs a password: set IMAGE_REGISTRY_PASSWORD in the environment, or "
                + "give it on standard input. It is never a property or an argument."
                + (IsOnServer ? " A server of MSBuild has no standard input: set DOTNET_CLI_USE_MSBUILD_SERVER=0 for this command." : "")
        );
        if (!Console.IsInputRedirected)
            throw missing;
        try
        {
            using var input = new StreamReader(Console.OpenStandardInput());
            var line = await Task.Run(input.ReadLine, cancellationToken).WaitAsync(Patience, cancellationToken);
            return string.IsNullOrEmpty(line) ? throw missing : line;
        }
        catch (TimeoutException)
        {
            throw missing;
        }
    }
}

/// <summary>Signs out of a registry: forgets its credential wherever docker keeps it.</summary>
public sealed class LogoutImageRegistry : LoginTask
{
    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var registry = SingleRegistry();
        var place = await LoginFor(Settings(registry), log).LogoutAsync(registry, cancellationToken);
        ReportResult(
            log,
            place.Changed ? $"Signed out of {registry}; nothing is kept in '{place.Place}' any more." : $"Nothing was kept for {registry}.",
            registry,
            place
        );
    }
}
