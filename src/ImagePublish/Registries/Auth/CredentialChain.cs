using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>All places that credentials are kept in, asked one after the other. The first that knows the registry decides.</summary>
/// <remarks>
/// <c>IMAGE_REGISTRY_USERNAME__host</c> and <c>IMAGE_REGISTRY_PASSWORD__host</c>; the .NET SDK's <c>DOTNET_CONTAINER_…</c>; <c>DOCKER_AUTH_CONFIG</c>; docker's config file with its helpers; podman's auth files; the identity of a CI system for its own host.
/// A file is read and a helper is asked when first needed, once.
/// </remarks>
internal sealed class CredentialChain : ICredentialSource
{
    private readonly ICredentialSource[] sources;

    /// <summary>The places of a machine.</summary>
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
