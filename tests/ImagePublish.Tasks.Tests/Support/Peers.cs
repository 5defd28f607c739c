using System.Runtime.Versioning;
using ImagePublish.Tasks.Tests.Support;

[assembly: AssemblyFixture(typeof(Peers))]
[assembly: UnsupportedOSPlatform("windows")]

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// What many tests share, each started when a test first asks for it and ended with the run: take it as a constructor's argument.
/// </summary>
public sealed class Peers : IAsyncDisposable
{
    private readonly Lazy<Task<DockerEngine>> docker = new(() => DockerEngine.StartAsync(CancellationToken.None));
    private readonly Lazy<Task<BaseImage>> baseImage = new(() => BaseImage.GetAsync(CancellationToken.None));
    private readonly Lazy<Task<PackedPackage>> package = new(() => PackedPackage.PackAsync(CancellationToken.None));
    private readonly Lazy<Task<DockerRegistry>> registry;

    public Peers() => registry = new(StartRegistryAsync);

    public Task<DockerEngine> DockerAsync() => docker.Value;

    public Task<BaseImage> BaseImageAsync() => baseImage.Value;

    /// <summary>A registry that everyone may read and write, with the base images in it. Tests use repositories of their own.</summary>
    public Task<DockerRegistry> RegistryAsync() => registry.Value;

    /// <summary>The package under test, packed once.</summary>
    public Task<PackedPackage> PackageAsync() => package.Value;

    /// <summary>A folder for projects that take the package under test from its feed.</summary>
    public async Task<TestWorkspace> WorkspaceAsync() => new(await package.Value);

    public async ValueTask DisposeAsync()
    {
        BuildServers.Stop();
        await CompilerServer.StopAsync();
        await NodePackages.RemoveAsync();
        await DisposeAsync(package);
        await DisposeAsync(docker);
        await DisposeAsync(registry);
    }

    private async Task<DockerRegistry> StartRegistryAsync()
    {
        var started = await DockerRegistry.StartAsync(CancellationToken.None);
        await (await baseImage.Value).PushToAsync(started, CancellationToken.None);
        return started;
    }

    private static async Task DisposeAsync<T>(Lazy<Task<T>> peer)
        where T : IAsyncDisposable
    {
        if (peer.IsValueCreated && peer.Value.IsCompletedSuccessfully)
            await (await peer.Value).DisposeAsync();
    }
}
