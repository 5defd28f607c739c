using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Credentials of the .NET SDK's environment variables, which tools that run <c>PublishContainer</c> set.</summary>
/// <remarks>The variables name no host. As in the SDK, those for a push are for the registry that the image goes to, those for a pull for
/// the one of the base image, and all of them for a base image that is in the registry that the image goes to:
/// https://github.com/dotnet/sdk/blob/main/src/Containers/Microsoft.NET.Build.Containers/AuthHandshakeMessageHandler.cs</remarks>
internal sealed class SdkCredentials(CredentialEnvironment environment) : ICredentialSource
{
    private const string Push = "DOTNET_CONTAINER_PUSH_REGISTRY";
    private const string Pull = "DOTNET_CONTAINER_PULL_REGISTRY";
    private const string Both = "DOTNET_CONTAINER_REGISTRY";
    private const string Legacy = "SDK_CONTAINER_REGISTRY";

    /// <summary>Whether there is a credential for the registry of the base image alone.</summary>
    public static bool HavePull(Func<string, string?> variable) => !string.IsNullOrEmpty(variable($"{Pull}_UNAME"));

    public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        var isPushed = registry == environment.PushRegistry;
        var isPulled = registry == environment.BaseRegistry;
        string[] prefixes = (isPushed, isPulled) switch
        {
            // One session serves both directions: what may push may pull.
            (true, true) => [Push, Both, Legacy, Pull],
            (true, false) => [Push, Both, Legacy],
            (false, true) => [Pull],
            _ => [],
        };
        return ValueTask.FromResult(prefixes.Select(Read).FirstOrDefault(credential => credential is not null));
    }

    // The SDK ignores one without the other, and those that are empty.
    private Credential? Read(string prefix) =>
        environment.Set($"{prefix}_UNAME") is { } username && environment.Set($"{prefix}_PWORD") is { } password
            ? Credential.Create(username, password)
            : null;
}
