using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Registries.Connection;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;
using static ImagePublish.Tasks.Tests.Registries.RegistryWork;

namespace ImagePublish.Tasks.Tests.Registries;

/// <summary>The client against CNCF distribution itself: with every kind of sign-in and line that a test can set up.</summary>
public sealed class RealRegistryTests
{
    private const int Mib = 1 << 20;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImageIsPushedMountedListedReadAndDeleted()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var client = Client();
        var (blobs, manifest) = Image(sizes: [3 * Mib, 70_000, 0]);
        var first = Target(registry.Host, "acme/shop");
        var second = Target(registry.Host, "acme/web");

        await PushAsync(client, first, blobs, manifest);
        var mounts = await Task.WhenAll(blobs.Select(blob => client.PushBlobAsync(second.Repository, blob, Cancelled)));
        await client.PushManifestAsync(second, manifest, Cancelled);

        Assert.All(mounts, mount => Assert.Equal(BlobPushKind.Mounted, mount.Kind));
        await ReadAsync(client, second, blobs, manifest);
        Assert.Equal([second.Tag!], await client.ListTagsAsync(second.Repository, Cancelled).ToListAsync(Cancelled));
        await client.DeleteManifestAsync(second.Repository.ReferenceTo(manifest.Descriptor.Digest), Cancelled);
        Assert.Null(await client.FindManifestAsync(second, Cancelled));
    }

    [Fact]
    public async Task APasswordAndAPrivateAuthorityAreUsed()
    {
        await using var registry = await DockerRegistry.StartAsync(
            new DockerRegistryOptions
            {
                UserName = "me",
                Password = "sécret:%",
                Tls = true,
            },
            Cancelled
        );
        var options = new RegistryClientOptions { TrustLoopback = false, CertificateFile = registry.CertificateAuthority };
        using var client = Client(options, Credential.Create("me", "sécret:%"));
        var (blobs, manifest) = Image(sizes: [2 * Mib]);

        await client.CheckSignInAsync(Registry.Parse(registry.Host), Cancelled);
        await PushAsync(client, Target(registry.Host), blobs, manifest);
        await ReadAsync(client, Target(registry.Host), blobs, manifest);
    }

    [Fact]
    public async Task ALayerArrivesOverALineThatKeepsBreaking()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await using var line = ProxyLine.To(registry.Host);
        line.BreakAfterBytes = 6 * Mib;
        using var client = Client(new RegistryClientOptions { ChunkSize = Mib });
        var (blobs, manifest) = Image(sizes: [40 * Mib]);

        await PushAsync(client, Target(line.Host), blobs, manifest);

        // Distribution forgets an upload that broke in the middle of a request: from then on no connection carries more than one chunk.
        Assert.InRange(line.Breaks, 1, 3);
        Assert.InRange(line.BytesUp, 40 * Mib, 48 * Mib);
        await ReadAsync(client, Target(registry.Host), blobs, manifest);
    }

    [Fact]
    public async Task ARegistryThatIsKilledAndComesBackGetsItsImage()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await using var line = ProxyLine.To(registry.Host);
        line.BytesPerSecond = 10 * Mib;
        using var client = Client(new RegistryClientOptions { MaxTries = 12, MaxRetryDelay = TimeSpan.FromSeconds(2) });
        var (blobs, manifest) = Image(sizes: [30 * Mib, 20 * Mib]);

        await Task.WhenAll(PushAsync(client, Target(line.Host), blobs, manifest), RestartAsync());

        await ReadAsync(client, Target(registry.Host), blobs, manifest);

        async Task RestartAsync()
        {
            while (line.BytesUp < 5 * Mib)
                await Task.Delay(20, Cancelled);
            await registry.StopAsync(kill: true);
            await registry.StartAgainAsync(Cancelled);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AProxyWithASmallLimitIsPassedInChunks(bool http2)
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await using var nginx = await Nginx.StartAsync(
            registry.Host,
            new NginxOptions
            {
                Tls = http2,
                Http2 = http2,
                Settings = "client_max_body_size 1m;",
            },
            Cancelled
        );
        using var client = Client();
        var (blobs, manifest) = Image(sizes: [12 * Mib, (3 * Mib) / 2]);

        await PushAsync(client, Target(nginx.Host), blobs, manifest);

        await ReadAsync(client, Target(registry.Host), blobs, manifest);
        // Over HTTP/1.1 each blob is asked for first; nginx never answers that over HTTP/2.
        var refused = (await nginx.StopAsync()).Where(request => request.Status == "413").ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, request =>
            Assert.Equal(http2 ? ("HTTP/2.0", "-") : ("HTTP/1.1", "100-continue"), (request.Protocol, request.Expect))
        );
    }

    [Fact]
    [ReliabilityCase(
        "Upload",
        "nginx with TLS and HTTP/2 in front of the registry",
        "large blobs do not wait for an answer to `Expect` that nginx never sends"
    )]
    public async Task LargeBlobsDoNotWaitBehindNginxWithHttp2()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        await using var nginx = await Nginx.StartAsync(registry.Host, new NginxOptions { Tls = true, Http2 = true }, Cancelled);
        using var client = Client(new RegistryClientOptions { TrustLoopback = false, CertificateFile = nginx.CertificateAuthority });
        var (blobs, manifest) = Image(sizes: [3 * Mib, 2 * Mib, 70_000]);

        await PushAsync(client, Target(nginx.Host), blobs, manifest);
        await ReadAsync(client, Target(nginx.Host), blobs, manifest);

        var requests = await nginx.StopAsync();
        Assert.Equal(blobs.Count + 1, requests.Count(request => request is { Method: "PUT", Status: "201" }));
        Assert.All(requests, request => Assert.Equal(("HTTP/2.0", "-"), (request.Protocol, request.Expect)));
    }
}
