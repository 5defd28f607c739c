using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryUploads : IAsyncLifetime
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes("0123456789");
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
    public async Task ChunksInOrderMakeABlob()
    {
        var location = await client.OpenAsync("a");
        location = await PatchAsync(location, "0-3", 0, 4, 202, "0-3");
        location = await PatchAsync(location, "4-8", 4, 5, 202, "0-8");
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(location, Digest), Bytes[9..], "Content-Range: 9-9"));
        Assert.Equal(Bytes, registry.Content.Blob("a", Digest));
        Assert.Equal(10, registry.Requests.UploadedBytes);
    }

    [Fact]
    public async Task APutWithoutABodyEndsWhatPatchesBrought()
    {
        var location = await PatchAsync(await client.OpenAsync("a"), null, 0, 10, 202, "0-9");
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(location, Digest), []));
    }

    [Fact]
    public async Task AChunkOutOfOrderIsAnswered416WithTheRange()
    {
        var location = await PatchAsync(await client.OpenAsync("a"), "0-3", 0, 4, 202, "0-3");
        location = await PatchAsync(location, "5-9", 5, 5, 416, "0-3");
        await PatchAsync(location, "4-9", 4, 6, 202, "0-9");
    }

    [Theory]
    [InlineData("bytes 0-3/*")]
    [InlineData("bytes=0-3")]
    [InlineData("0-2")]
    public async Task AContentRangeHasToBeBareAndTrue(string range)
    {
        var location = await client.OpenAsync("a");
        Assert.Equal(400, await client.StatusAsync("PATCH", location, Bytes[..4], $"Content-Range: {range}"));
    }

    [Fact]
    public async Task TheStatusTellsHowFarAnUploadIs()
    {
        var location = await PatchAsync(await client.OpenAsync("a"), "0-3", 0, 4, 202, "0-3");
        using var status = await client.CallAsync("GET", location);
        Assert.Equal(204, (int)status.StatusCode);
        Assert.Equal("0-3", status.Header("Range"));
        Assert.Equal(400, await client.StatusAsync("PATCH", location, Bytes[4..], "Content-Range: 4-9"));
        await PatchAsync(status.Header("Location")!, "4-9", 4, 6, 202, "0-9");
    }

    [Fact]
    public async Task ALocationHasToComeBackByteForByte()
    {
        var location = await client.OpenAsync("a");
        Assert.Contains("%2B", location, StringComparison.Ordinal);
        Assert.Equal(
            400,
            await client.StatusAsync("PUT", Calls.With(location.Replace("%2B", "+", StringComparison.Ordinal), Digest), Bytes)
        );
        Assert.Equal(400, await client.StatusAsync("PUT", Calls.With(location.Split('?')[0], Digest), Bytes));
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(location, Digest), Bytes));
    }

    [Fact]
    public async Task AnUploadThatWasDeletedOrFinishedIsUnknown()
    {
        var deleted = await client.OpenAsync("a");
        Assert.Equal(1, registry.Content.OpenUploadSessions);
        Assert.Equal(204, await client.StatusAsync("DELETE", deleted));
        Assert.Equal(404, await client.StatusAsync("GET", deleted));
        Assert.Equal(0, registry.Content.OpenUploadSessions);
        var finished = await client.OpenAsync("a");
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(finished, Digest), Bytes));
        using var again = await client.CallAsync("PUT", Calls.With(finished, Digest), Bytes);
        Assert.Equal(404, (int)again.StatusCode);
        Assert.Equal("BLOB_UPLOAD_UNKNOWN", await again.ErrorCodeAsync());
    }

    [Fact]
    public async Task AWrongDigestIsRefusedAndNothingIsKept()
    {
        var location = await client.OpenAsync("a");
        Assert.Equal(400, await client.StatusAsync("PUT", Calls.With(location, Digests.Empty), Bytes));
        Assert.Empty(registry.Content.Blobs("a"));
        Assert.Equal(400, await client.StatusAsync("PUT", await client.OpenAsync("a"), Bytes));
    }

    [Fact]
    public async Task TheChunkMinimumIsAnnouncedAndDemanded()
    {
        registry.Options.Uploads.ChunkMinLength = 4;
        using var post = await client.CallAsync("POST", "/v2/a/blobs/uploads/", []);
        Assert.Equal("4", post.Header("OCI-Chunk-Min-Length"));
        Assert.Equal(400, await client.StatusAsync("PATCH", post.Header("Location")!, Bytes[..3], "Content-Range: 0-2"));
    }

    [Fact]
    public async Task ABodyOverTheLimitIsAnswered413InHtml()
    {
        registry.Options.MaxRequestBodyBytes = 4;
        using var response = await client.CallAsync("PUT", Calls.With(await client.OpenAsync("a"), Digest), Bytes);
        Assert.Equal(413, (int)response.StatusCode);
        Assert.Equal("text/html", response.Header("Content-Type"));
    }

    [Fact]
    public async Task LocationsCanBeAbsoluteAndForeign()
    {
        registry.Options.Uploads.AbsoluteLocations = true;
        Assert.StartsWith($"http://{registry.Host}/v2/a/", await this.client.OpenAsync("a"), StringComparison.Ordinal);
        await using var foreign = await TestRegistry.StartAsync(o => (o.SecondHost, o.Uploads.OnSecondHost) = (true, true), Calls.Cancel);
        using var client = foreign.CreateClient();
        var location = await client.OpenAsync("a");
        Assert.StartsWith($"http://{foreign.OtherHost}/v2/a/", location, StringComparison.Ordinal);
        Assert.Equal(400, await client.StatusAsync("PUT", Calls.With(location, Digest), Bytes, Calls.Basic("a", "b")));
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(location, Digest), Bytes));
    }

    private async Task<string> PatchAsync(string location, string? range, int start, int count, int status, string expected)
    {
        using var response = await client.CallAsync(
            "PATCH",
            location,
            Bytes[start..(start + count)],
            range is null ? [] : [$"Content-Range: {range}"]
        );
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(expected, response.Header("Range"));
        return response.Header("Location")!;
    }
}
