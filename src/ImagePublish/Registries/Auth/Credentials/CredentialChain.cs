using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>All places that credentials are kept in, asked one after the other. The first that knows the registry decides.</summary>
/// <remarks><c>IMAGE_REGISTRY_USERNAME__host</c> and <c>IMAGE_REGISTRY_PASSWORD__host</c>; the .NET SDK's <c>DOTNET_CONTAINER_…</c>;
/// <c>DOCKER_AUTH_CONFIG</c>; docker's config file with its helpers; podman's auth files; the identity of a CI system for its own host. A
/// file is read and a helper is asked when first needed, once.</remarks>
internal sealed class CredentialChain : ICredentialSource
{
    private readonly ICredentialSource[] sources;

    public CredentialChain(CredentialEnvironment environment)
    {
        var helpers = new CredentialHelpers(environment);
        sources =
        [
            new EnvironmentCredentials(environment),
            new SdkCredentials(environment),
            AuthConfigSource.OfVariable("DOCKER_AUTH_CONFIG", environment, helpers),
            .. environment.DockerConfig is { } docker ? [AuthConfigSource.OfFile(docker, helpers)] : Array.Empty<ICredentialSource>(),
            .. environment.ContainersAuthFiles.Select(file => AuthConfigSource.OfFile(file, helpers)),
            new CiCredentials(environment),
        ];
    }

    public async ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        foreach (var source in sources)
        {
            if (await source.FindAsync(registry, repository, ct) is { IsEmpty: false } credential)
                return credential;
        }

        return null;
    }
}

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

internal interface ICredentialSource
{
    /// <summary>Finds what signs in to a registry.</summary>
    /// <param name="repository">The repository's name in it, where one is meant: some files keep credentials for a part of a
    /// registry.</param>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG5002</c>: a file or a helper that should have it can't be
    /// used.</exception>
    ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct);
}
