using System.Diagnostics;
using System.Globalization;
using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryLine : IAsyncLifetime
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes(new string('x', 300_000));
    private static readonly string Digest = Digests.Sha256(Bytes);
    private TestRegistry registry = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        client = registry.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await registry.DisposeAsync();
    }

    [Fact]
    public async Task ALineThatBreaksStillBringsABlobPieceByPiece()
    {
        registry.Line.BreakAfterRequestBytes = 128_000;
        var location = await client.OpenAsync("a");
        for (var at = 0; at < Bytes.Length; )
        {
            try
            {
                await client.StatusAsync("PATCH", location, Bytes[at..], $"Content-Range: {at}-{Bytes.Length - 1}");
            }
            catch (HttpRequestException)
            {
                // The connection was cut.
            }

            using var status = await client.CallAsync("GET", location);
            location = status.Header("Location")!;
            at = int.Parse(status.Header("Range")!.Split('-')[1], CultureInfo.InvariantCulture) + 1;
        }

        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(location, Digest), []));
        Assert.Equal(2, registry.Line.Breaks);
        Assert.Equal(Bytes.Length, registry.Requests.UploadedBytes);
    }

    [Fact]
    public async Task ASlowLineIsSlowInBothDirections()
    {
        registry.Line.BytesPerSecond = 1_000_000;
        var watch = Stopwatch.StartNew();
        await client.PushBlobAsync("a", Bytes);
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(200));
        watch.Restart();
        using var response = await client.CallAsync("GET", $"/v2/a/blobs/{Digest}");
        Assert.Equal(Bytes, await response.Content.ReadAsByteArrayAsync(Calls.Cancel));
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public async Task TheMostRequestsAtOnceAreCounted()
    {
        var (all, arrived) = (new TaskCompletionSource(), 0);
        registry.Faults.Add(new Fault(RegistryStep.Ping, FaultAction.Custom("waits for all", async (_, _, next) =>
                {
                    if (Interlocked.Increment(ref arrived) == 3)
                        all.SetResult();
                    await all.Task;
                    await next();
                })) { Times = Fault.Always });
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.StatusAsync("GET", "/v2/")));
        Assert.Equal(3, registry.Requests.MaxConcurrent(RegistryStep.Ping));
        Assert.Equal(3, registry.Requests.CountOf(RegistryStep.Ping));
    }

    [Fact]
    public async Task AResetEndsASecureConnectionOfHttp2Too()
    {
        await using var registry = await TestRegistry.StartAsync(o => o.Tls = true, Calls.Cancel);
        using var client = registry.CreateClient();
        var location = await client.OpenAsync("a");
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100_000));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("PUT", Calls.With(location, Digest), Bytes));
        using var status = await client.CallAsync("GET", location);
        Assert.Equal("0-99999", status.Header("Range"));
    }

    [Fact]
    public async Task AServerThatStopsReadingLetsTheClientWait()
    {
        var location = await client.OpenAsync("a");
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.StallAfterRequestBytes(1000));
        using var request = new HttpRequestMessage(HttpMethod.Put, Calls.Raw(client, Calls.With(location, Digest)))
        {
            Content = new ByteArrayContent(Bytes),
        };
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(Calls.Cancel);
        waiting.CancelAfter(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SendAsync(request, waiting.Token));
        Assert.Equal(204, await client.StatusAsync("GET", location));
    }
}
