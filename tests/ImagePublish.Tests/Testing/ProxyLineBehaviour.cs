using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class ProxyLineBehaviour
{
    [Fact]
    public async Task ALineCarriesEverythingAndCountsIt()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        await using var line = ProxyLine.To(registry.Host);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{line.Host}/") };
        var bytes = new byte[1 << 20];
        await client.PushBlobAsync("a", bytes);
        Assert.True(registry.Content.HasBlob("a", Digests.Sha256(bytes)));
        Assert.True(line.BytesUp > bytes.Length && line.BytesDown > 0);
    }

    [Fact]
    public async Task ALineBreaksAfterSoManyBytes()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        await using var line = ProxyLine.To(registry.Host);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{line.Host}/") };
        var location = await client.OpenAsync("a");
        line.BreakAfterBytes = 500_000;
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("PATCH", location, new byte[1 << 20]));
        Assert.Equal(1, line.Breaks);
        Assert.InRange(line.BytesUp, 500_000, 502_000);
        line.BreakAfterBytes = null;
        Assert.Equal(204, await client.StatusAsync("GET", location));
    }

    [Fact]
    public async Task ALineCanBeCutAndUsedAgain()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        await using var line = ProxyLine.To(registry.Host);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{line.Host}/") };
        registry.Faults.Add(RegistryStep.Ping, FaultAction.Custom("cuts the line", async (_, _, next) =>
            {
                line.Cut();
                await next();
            }));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("GET", "/v2/"));
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
    }
}
