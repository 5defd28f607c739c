using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryBlobs : IAsyncLifetime
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
    public async Task HeadAndGetNameDigestAndSize()
    {
        registry.Content.PutBlob("a", Bytes);
        using var head = await client.CallAsync("HEAD", $"/v2/a/blobs/{Digest}");
        using var get = await client.CallAsync("GET", $"/v2/a/blobs/{Digest}");
        Assert.Equal("10", head.Header("Content-Length"));
        Assert.Equal(Digest, head.Header("Docker-Content-Digest"));
        Assert.Equal(Bytes, await get.Content.ReadAsByteArrayAsync(Calls.Cancel));
    }

    [Fact]
    public async Task ABlobBelongsToItsRepository()
    {
        registry.Content.PutBlob("a", Bytes);
        using var other = await client.CallAsync("GET", $"/v2/b/blobs/{Digest}");
        Assert.Equal(404, (int)other.StatusCode);
        Assert.Equal("BLOB_UNKNOWN", await other.ErrorCodeAsync());
        Assert.Equal(400, await client.StatusAsync("GET", "/v2/a/blobs/sha256:123"));
        Assert.Equal(400, await client.StatusAsync("GET", $"/v2/A/blobs/{Digest}"));
    }

    [Theory]
    [InlineData("bytes=2-4", 206, "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-2", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=0-99", 200, "0123456789", null)]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    public async Task RangesAreServed(string range, int status, string? text, string? contentRange)
    {
        registry.Content.PutBlob("a", Bytes);
        using var response = await client.CallAsync("GET", $"/v2/a/blobs/{Digest}", null, $"Range: {range}");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(contentRange, response.Header("Content-Range"));
        if (text is not null)
            Assert.Equal(text, await response.Content.ReadAsStringAsync(Calls.Cancel));
    }

    [Fact]
    public async Task BlobsCanBeDeletedUnlessThatIsSwitchedOff()
    {
        registry.Content.PutBlob("a", Bytes);
        Assert.Equal(202, await client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
        Assert.Equal(404, await client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
        registry.Options.Content.DeleteBlobs = false;
        Assert.Equal(405, await client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
    }

    [Fact]
    public async Task AMountNeedsTheBlobInTheSourceAndOpensAnUploadOtherwise()
    {
        registry.Content.PutBlob("from", Bytes);
        using var mounted = await client.CallAsync("POST", $"/v2/to/blobs/uploads/?mount={Digest}&from=from", []);
        Assert.Equal(201, (int)mounted.StatusCode);
        Assert.Equal($"/v2/to/blobs/{Digest}", mounted.Header("Location"));
        Assert.True(registry.Content.HasBlob("to", Digest));
        using var missed = await client.CallAsync("POST", $"/v2/third/blobs/uploads/?mount={Digest}&from=empty", []);
        Assert.Equal(202, (int)missed.StatusCode);
        Assert.Equal(201, await client.StatusAsync("PUT", Calls.With(missed.Header("Location")!, Digest), Bytes));
        Assert.Equal(0, registry.Content.OpenUploadSessions);
    }

    [Fact]
    public async Task ASinglePostTakesTheBlobIfItsDigestIsRight()
    {
        Assert.Equal(201, await client.StatusAsync("POST", $"/v2/a/blobs/uploads/?digest={Digest}", Bytes));
        using var wrong = await client.CallAsync("POST", $"/v2/a/blobs/uploads/?digest={Digests.Empty}", Bytes);
        Assert.Equal(400, (int)wrong.StatusCode);
        Assert.Equal("DIGEST_INVALID", await wrong.ErrorCodeAsync());
        Assert.Equal(201, await client.StatusAsync("POST", $"/v2/a/blobs/uploads/?digest={Digests.Sha512(Bytes)}", Bytes));
    }

    [Fact]
    public async Task AnEmptyBlobIsABlob()
    {
        Assert.Equal(Digests.Empty, await client.PushBlobAsync("a", []));
        using var head = await client.CallAsync("HEAD", $"/v2/a/blobs/{Digests.Empty}");
        Assert.Equal("0", head.Header("Content-Length"));
    }

    [Theory]
    [InlineData(4, long.MaxValue)]
    [InlineData(long.MaxValue, 4)]
    public async Task LargeBlobsAreKeptInAFileOrDiscarded(long inMemory, long discard)
    {
        (registry.Options.KeepInMemoryUpTo, registry.Options.DiscardBlobsLargerThan) = (inMemory, discard);
        await client.PushBlobAsync("a", Bytes);
        using var head = await client.CallAsync("HEAD", $"/v2/a/blobs/{Digest}");
        Assert.Equal("10", head.Header("Content-Length"));
        using var get = await client.CallAsync("GET", $"/v2/a/blobs/{Digest}");
        Assert.Equal(discard == 4 ? 500 : 200, (int)get.StatusCode);
        if (discard > 4)
            Assert.Equal(Bytes, await get.Content.ReadAsByteArrayAsync(Calls.Cancel));
    }
}
