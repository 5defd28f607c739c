using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryFaults : IAsyncLifetime
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes(new string('x', 300_000));
    private static readonly string Digest = Digests.Sha256(Bytes);
    private TestRegistry registry = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        client = registry.CreateClient();
        registry.Content.PutBlob("seed", Bytes);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await registry.DisposeAsync();
    }

    [Fact]
    public async Task AStatusComesWithItsHeadersAndBodySoOftenAndNoMore()
    {
        var fault = registry.Faults.Add(
            new Fault(RegistryStep.Ping, FaultAction.Status(503, "<h1>no</h1>", "text/html", true, "Retry-After: 7"))
            {
                Skip = 1,
                Times = 2,
            }
        );
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
        using var response = await client.CallAsync("GET", "/v2/");
        Assert.Equal(
            (503, "7", "<h1>no</h1>"),
            ((int)response.StatusCode, response.Header("Retry-After"), await response.Content.ReadAsStringAsync(Calls.Cancel))
        );
        Assert.Equal(503, await client.StatusAsync("GET", "/v2/"));
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
        Assert.Equal(2, fault.Hits);
        Assert.Equal([fault], registry.Requests.ElementAt(1).Faults);
    }

    [Fact]
    public async Task AFaultStrikesWhereItsPredicateSaysOnly()
    {
        registry.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.Status(500)) { When = r => r.Reference == "3", Times = Fault.Always }
        );
        var manifest = "{\"layers\":[]}"u8.ToArray();
        Assert.Equal(201, await client.StatusAsync("PUT", "/v2/a/manifests/2", manifest, $"Content-Type: {MediaTypes.OciManifest}"));
        Assert.Equal(500, await client.StatusAsync("PUT", "/v2/a/manifests/3", manifest, $"Content-Type: {MediaTypes.OciManifest}"));
        Assert.Equal(["2"], registry.Content.Tags("a").Keys);
    }

    [Fact]
    public async Task AFaultWaitsForTheSignInUnlessToldOtherwise()
    {
        registry.Options.Auth.Schemes = AuthSchemes.Basic;
        registry.Options.Auth.Users["a"] = "b";
        registry.Faults.Add(RegistryStep.Catalog, FaultAction.Status(500));
        Assert.Equal(401, await client.StatusAsync("GET", "/v2/_catalog"));
        Assert.Equal(500, await client.StatusAsync("GET", "/v2/_catalog", null, Calls.Basic("a", "b")));
        registry.Faults.Add(new Fault(RegistryStep.Catalog, FaultAction.Status(500)) { AlsoUnauthorized = true });
        Assert.Equal(500, await client.StatusAsync("GET", "/v2/_catalog"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task AResetInTheBodyKeepsWhatArrived(int count)
    {
        registry.Faults.Add(RegistryStep.UploadPatch, count == 0 ? FaultAction.Reset() : FaultAction.ResetAfterRequestBytes(count));
        var location = await client.OpenAsync("a");
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("PATCH", location, Bytes));
        using var status = await client.CallAsync("GET", location);
        Assert.Equal(count == 0 ? "0-0" : $"0-{count - 1}", status.Header("Range"));
        var broken = Assert.Single(registry.Requests.Of(RegistryStep.UploadPatch));
        Assert.Equal((true, 0, count), (broken.Aborted, broken.Status, broken.BodyBytes));
        Assert.Equal(
            202,
            await client.StatusAsync("PATCH", status.Header("Location")!, Bytes[count..], $"Content-Range: {count}-{Bytes.Length - 1}")
        );
    }

    [Fact]
    public async Task AResetIsATcpReset()
    {
        registry.Faults.Add(RegistryStep.Ping, FaultAction.Reset());
        var thrown = await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("GET", "/v2/"));
        for (Exception? e = thrown; ; e = e.InnerException)
        {
            Assert.NotNull(e);
            if (e is SocketException { SocketErrorCode: SocketError.ConnectionReset })
                return;
        }
    }

    [Fact]
    public async Task ADisconnectAfterTheLastByteHasDoneItsWork()
    {
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ProcessThenReset());
        var location = await client.OpenAsync("a");
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("PUT", Calls.With(location, Digest), Bytes));
        Assert.True(registry.Content.HasBlob("a", Digest));
    }

    [Fact]
    public async Task AResetAfterTheBodyHasDoneNothing()
    {
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ResetAfterBody());
        var location = await client.OpenAsync("a");
        await Assert.ThrowsAsync<HttpRequestException>(() => client.StatusAsync("PUT", Calls.With(location, Digest), Bytes));
        Assert.False(registry.Content.HasBlob("a", Digest));
        Assert.Equal(Bytes.Length, registry.Requests.UploadedBytes);
    }

    [Fact]
    public async Task AnAnswerCanBeReplacedAfterTheWorkWasDone()
    {
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ProcessThenStatus(502, "bad gateway"));
        Assert.Equal(502, await client.StatusAsync("PUT", Calls.With(await client.OpenAsync("a"), Digest), Bytes));
        Assert.True(registry.Content.HasBlob("a", Digest));
    }

    public static TheoryData<string, FaultAction> Stalls =>
        new()
        {
            { "GET", FaultAction.Stall() },
            { "GET", FaultAction.ProcessThenStall() },
            { "GET", FaultAction.StallResponse(1000) },
        };

    [Theory]
    [MemberData(nameof(Stalls))]
    public async Task AStallLastsUntilSomebodyLeaves(string method, FaultAction action)
    {
        registry.Faults.Add(RegistryStep.BlobGet, action);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(Calls.Cancel);
        waiting.CancelAfter(TimeSpan.FromMilliseconds(300));
        using var request = new HttpRequestMessage(new HttpMethod(method), Calls.Raw(client, $"/v2/seed/blobs/{Digest}"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SendAsync(request, waiting.Token));
    }

    [Fact]
    public async Task ATruncatedAnswerIsShorterThanItSays()
    {
        registry.Faults.Add(RegistryStep.BlobGet, FaultAction.TruncateResponse(1000));
        using var response = await client.CallAsync("GET", $"/v2/seed/blobs/{Digest}");
        Assert.Equal(Bytes.Length, response.Content.Headers.ContentLength);
        await using var body = await response.Content.ReadAsStreamAsync(Calls.Cancel);
        using var received = new MemoryStream();
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(received, Calls.Cancel));
        Assert.Equal(1000, received.Length);
        Assert.Equal((200, true), (registry.Requests.Single().Status, registry.Requests.Single().Aborted));
    }

    [Fact]
    public async Task ACorruptAnswerDiffersInOneByte()
    {
        registry.Faults.Add(RegistryStep.BlobGet, FaultAction.CorruptResponse(200_000));
        using var response = await client.CallAsync("GET", $"/v2/seed/blobs/{Digest}");
        var body = await response.Content.ReadAsByteArrayAsync(Calls.Cancel);
        Assert.Equal(200_000, Assert.Single(Enumerable.Range(0, Bytes.Length), i => body[i] != Bytes[i]));
    }

    [Fact]
    public async Task HeadersStatusAndBodyOfAnAnswerCanBeChanged()
    {
        registry.Faults.Add(RegistryStep.UploadPut, FaultAction.ChangeStatus(204));
        registry.Faults.Add(RegistryStep.UploadPost, FaultAction.RemoveHeader("Location"));
        registry.Faults.Add(RegistryStep.BlobHead, FaultAction.SetHeader("Docker-Content-Digest", Digests.Empty));
        registry.Faults.Add(RegistryStep.BlobGet, FaultAction.ReplaceBody("other"u8.ToArray(), "text/plain"));
        using var post = await client.CallAsync("POST", "/v2/a/blobs/uploads/", []);
        Assert.Null(post.Header("Location"));
        Assert.Equal(204, await client.StatusAsync("PUT", Calls.With(await client.OpenAsync("a"), Digest), Bytes));
        using var head = await client.CallAsync("HEAD", $"/v2/seed/blobs/{Digest}");
        Assert.Equal(Digests.Empty, head.Header("Docker-Content-Digest"));
        using var get = await client.CallAsync("GET", $"/v2/seed/blobs/{Digest}");
        Assert.Equal("other", await get.Content.ReadAsStringAsync(Calls.Cancel));
    }

    [Fact]
    public async Task RequestsCanBeRedirectedDelayedAndClosed()
    {
        registry.Faults.Add(RegistryStep.BlobGet, FaultAction.Redirect("http://127.0.0.1:1/x?a=%2B"));
        using var redirected = await client.CallAsync("GET", $"/v2/seed/blobs/{Digest}");
        Assert.Equal((307, "http://127.0.0.1:1/x?a=%2B"), ((int)redirected.StatusCode, redirected.Header("Location")));
        registry.Faults.Add(RegistryStep.Ping, FaultAction.Delay(TimeSpan.FromMilliseconds(200)));
        var watch = Stopwatch.StartNew();
        Assert.Equal(200, await client.StatusAsync("GET", "/v2/"));
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(190));
        registry.Faults.Add(RegistryStep.Ping, FaultAction.RespondThenClose());
        using var closed = await client.CallAsync("GET", "/v2/");
        Assert.Equal(("close", 200), (closed.Header("Connection"), (int)closed.StatusCode));
    }

    [Fact]
    public async Task ABodyCanGoOnForEver()
    {
        registry.Faults.Add(RegistryStep.Catalog, FaultAction.EndlessBody("application/json"));
        using var response = await client.CallAsync("GET", "/v2/_catalog");
        await using var body = await response.Content.ReadAsStreamAsync(Calls.Cancel);
        await body.ReadExactlyAsync(new byte[5 << 20], Calls.Cancel);
        Assert.Null(response.Content.Headers.ContentLength);
    }
}
