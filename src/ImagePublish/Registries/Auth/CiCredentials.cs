using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>The identity that a CI system gives its jobs, for exactly the registry that belongs to it.</summary>
internal sealed class CiCredentials(CredentialEnvironment environment) : ICredentialSource
{
    private static readonly Registry GitHub = Registry.Parse("ghcr.io");

    public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
        ValueTask.FromResult(
            registry == GitHub ? OfGitHub()
            : registry == GitLab ? OfGitLab()
            : null
        );

    private Registry? GitLab => Registry.TryParse(environment.Set("CI_REGISTRY"), out var registry) ? registry : null;

    private Credential? OfGitHub() =>
        environment.Set("GITHUB_TOKEN") is { } token && environment.Set("GITHUB_ACTOR") is { } actor
            ? Credential.Create(actor, token)
            : null;

    private Credential? OfGitLab()
    {
        if (environment.Set("CI_REGISTRY_USER") is { } user && environment.Set("CI_REGISTRY_PASSWORD") is { } password)
            return Credential.Create(user, password);
        return environment.Set("CI_JOB_TOKEN") is { } token ? Credential.Create("gitlab-ci-token", token) : null;
    }
}
