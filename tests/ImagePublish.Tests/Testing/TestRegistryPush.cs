using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryPush
{
    private static readonly byte[] Hello = Encoding.UTF8.GetBytes("hello, registry");

    [Theory]
    [InlineData(false, "HTTP/1.1")]
    [InlineData(true, "HTTP/2")]
    public async Task APushedImageCanBePulledOverPlainAndSecureLines(bool tls, string protocol)
    {
        await using var registry = await TestRegistry.StartAsync(o => o.Tls = tls, Calls.Cancel);
        using var client = registry.CreateClient();
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
        var digest = await client.PushBlobAsync("a/b", Hello);
        var manifest = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{digest}}","size":{{Hello.Length}}},"layers":[]}"""
        );
        Assert.Equal(201, await client.StatusAsync("PUT", "/v2/a/b/manifests/v1", manifest, $"Content-Type: {MediaTypes.OciManifest}"));

        using var pulled = await client.CallAsync("GET", "/v2/a/b/manifests/v1");
        Assert.Equal(manifest, await pulled.Content.ReadAsByteArrayAsync(Calls.Cancel));
        Assert.Equal(Digests.Sha256(manifest), pulled.Header("Docker-Content-Digest"));
        Assert.Equal(MediaTypes.OciManifest, pulled.Header("Content-Type"));
        Assert.Equal(0, registry.Content.OpenUploadSessions);
        Assert.Equal(Hello.Length, registry.Requests.UploadedBytes);
        Assert.All(registry.Requests, r => Assert.Equal(protocol, r.Protocol));
    }

    [Fact]
    public async Task AResetBreaksTheConnectionAndStrikesOnce()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        using var client = registry.CreateClient();
        var fault = registry.Faults.Add(RegistryStep.Ping, FaultAction.Reset());
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("GET", "/v2/"));
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
        Assert.Equal(1, fault.Hits);
    }
}
