using System.Diagnostics;
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
    public async Task ADistantLineDelaysEachDirectionAndIsSharedByItsConnections()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        await using var line = ProxyLine.To(registry.Host, new Distance(TimeSpan.FromMilliseconds(20), 1_000_000));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{line.Host}/") };

        var first = await TimeAsync(() => client.StatusAsync("GET", "/v2/"));
        var second = await TimeAsync(() => client.StatusAsync("GET", "/v2/"));
        byte[][] blobs =
        [
            [.. Enumerable.Repeat((byte)1, 200_000)],
            [.. Enumerable.Repeat((byte)2, 200_000)],
        ];
        var both = await TimeAsync(() => Task.WhenAll(blobs.Select(blob => client.PushBlobAsync("a", blob))));

        // There and back for the connection and for the request.
        Assert.InRange(first, 79, double.MaxValue);
        Assert.InRange(second, 39, double.MaxValue);
        Assert.InRange(both, 399, double.MaxValue);
        Assert.All(blobs, blob => Assert.True(registry.Content.HasBlob("a", Digests.Sha256(blob))));

        static async Task<double> TimeAsync(Func<Task> run)
        {
            var start = Stopwatch.GetTimestamp();
            await run();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
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
