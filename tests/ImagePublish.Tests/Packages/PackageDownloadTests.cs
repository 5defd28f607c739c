using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Model;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;

namespace ImagePublish.Tests.Packages;

/// <summary>Packages of a lock file, downloaded without apt.</summary>
public sealed class PackageDownloadTests : IDisposable
{
    private const string Area = "Packages";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("image-packages-");
    private readonly FastClock clock = new();
    private readonly TestLog log = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(Area, "429 with Retry-After from a package source", "the build waits as long as it asks, and says so")]
    public async Task APackageSourceThatAsksToWaitIsWaitedFor()
    {
        await using var server = Serve();
        server.Refusals.Enqueue((429, 70));
        server.Refusals.Enqueue((503, null));

        await DownloadAsync(server.Address);

        Assert.Contains(TimeSpan.FromSeconds(70), clock.Waits);
        Assert.Contains(log.Informations, line => line.Contains("429 Too Many Requests, and asks to wait 70 s", StringComparison.Ordinal));
        Assert.Equal(3, server.Requests);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(403)]
    [InlineData(500)]
    [ReliabilityCase(
        Area,
        "a package source refuses every request",
        "IMG6009 with its answer: a package is not reported as gone before every source could be asked"
    )]
    public async Task ASourceThatRefusesIsNotOneThatHasNoSuchPackage(int status)
    {
        await using var server = Serve();
        for (var tries = 0; tries < 10; tries++)
            server.Refusals.Enqueue((status, null));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.PackageSourceFailed, () => DownloadAsync(server.Address));

        Assert.Contains($" {status} ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(server.Address, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherSourceStandsInForOneThatRefuses()
    {
        await using var server = Serve();
        await using var busy = Serve();
        busy.Refusals.Enqueue((403, null));

        await DownloadAsync(busy.Address, server.Address);

        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task APackageThatNoSourceHasIsGone()
    {
        await using var server = Serve();
        server.Refusals.Enqueue((404, null));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.PackageGone, () => DownloadAsync(server.Address));

        Assert.Contains(server.Address, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "a package source with a password in its address, without apt", "refused without showing the password, IMG6009")]
    public async Task AnAddressWithAPasswordIsNotShown()
    {
        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.PackageSourceFailed, () =>
            DownloadAsync("http://ada:canary@127.0.0.1:9/debian")
        );

        Assert.DoesNotContain("canary", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private FileServer Serve()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "shop.deb"), "shop");
        return new FileServer(folder.FullName);
    }

    private async Task DownloadAsync(params string[] sources)
    {
        using var client = new RegistryClient(
            new RegistryClientOptions { IdleTimeout = TimeSpan.FromHours(20), DocumentTimeout = TimeSpan.FromHours(20) },
            new NoCredentials(),
            log,
            clock
        );
        var package = new OsPackage("shop", "1.0", "all", "shop.deb", 4, Digest.Compute("shop"u8));
        var target = Path.Combine(folder.FullName, "out.deb");
        await Locked(new PackageSources(sources), client).GetAsync([(package, target)], Cancel);
        Assert.Equal("shop", await File.ReadAllTextAsync(target, Cancel));
    }

    private static LockedDownload Locked(PackageSources sources, RegistryClient client) =>
        new(sources, tool: null, new SourceGuard(sources, [], PackageStep.LookUpAsync), client.TryDownloadAsync);

    private sealed class NoCredentials : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult<Credential?>(null);
    }
}
