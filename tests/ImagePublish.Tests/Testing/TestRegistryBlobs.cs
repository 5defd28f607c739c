using System.Text;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryBlobs : IAsyncLifetime
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes("0123456789");
    private static readonly string Digest = Digests.Sha256(Bytes);
    private TestRegistry _registry = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync(cancellationToken: Calls.Cancel);
        _client = _registry.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task HeadAndGetNameDigestAndSize()
    {
        _registry.Content.PutBlob("a", Bytes);
        using var head = await _client.CallAsync("HEAD", $"/v2/a/blobs/{Digest}");
        using var get = await _client.CallAsync("GET", $"/v2/a/blobs/{Digest}");
        Assert.Equal("10", head.Header("Content-Length"));
        Assert.Equal(Digest, head.Header("Docker-Content-Digest"));
        Assert.Equal(Bytes, await get.Content.ReadAsByteArrayAsync(Calls.Cancel));
    }

    [Fact]
    public async Task ABlobBelongsToItsRepository()
    {
        _registry.Content.PutBlob("a", Bytes);
        using var other = await _client.CallAsync("GET", $"/v2/b/blobs/{Digest}");
        Assert.Equal(404, (int)other.StatusCode);
        Assert.Equal("BLOB_UNKNOWN", await other.ErrorCodeAsync());
        Assert.Equal(400, await _client.StatusAsync("GET", "/v2/a/blobs/sha256:123"));
        Assert.Equal(400, await _client.StatusAsync("GET", $"/v2/A/blobs/{Digest}"));
    }

    [Theory]
    [InlineData("bytes=2-4", 206, "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-2", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=0-99", 200, "0123456789", null)]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    public async Task RangesAreServed(string range, int status, string? text, string? contentRange)
    {
        _registry.Content.PutBlob("a", Bytes);
        using var response = await _client.CallAsync("GET", $"/v2/a/blobs/{Digest}", null, $"Range: {range}");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(contentRange, response.Header("Content-Range"));
        if (text is not null)
            Assert.Equal(text, await response.Content.ReadAsStringAsync(Calls.Cancel));
    }

    [Fact]
    public async Task BlobsCanBeDeletedUnlessThatIsSwitchedOff()
    {
        _registry.Content.PutBlob("a", Bytes);
        Assert.Equal(202, await _client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
        Assert.Equal(404, await _client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
        _registry.Options.Content.DeleteBlobs = false;
        Assert.Equal(405, await _client.StatusAsync("DELETE", $"/v2/a/blobs/{Digest}"));
    }

    [Fact]
    public async Task AMountNeedsTheBlobInTheSourceAndOpensAnUploadOtherwise()
    {
        _registry.Content.PutBlob("from", Bytes);
        using var mounted = await _client.CallAsync("POST", $"/v2/to/blobs/uploads/?mount={Digest}&from=from", []);
        Assert.Equal(201, (int)mounted.StatusCode);
        Assert.Equal($"/v2/to/blobs/{Digest}", mounted.Header("Location"));
        Assert.True(_registry.Content.HasBlob("to", Digest));
        using var missed = await _client.CallAsync("POST", $"/v2/third/blobs/uploads/?mount={Digest}&from=empty", []);
        Assert.Equal(202, (int)missed.StatusCode);
        Assert.Equal(201, await _client.StatusAsync("PUT", Calls.With(missed.Header("Location")!, Digest), Bytes));
        Assert.Equal(0, _registry.Content.OpenUploadSessions);
    }

    [Fact]
    public async Task ASinglePostTakesTheBlobIfItsDigestIsRight()
    {
        Assert.Equal(201, await _client.StatusAsync("POST", $"/v2/a/blobs/uploads/?digest={Digest}", Bytes));
        using var wrong = await _client.CallAsync("POST", $"/v2/a/blobs/uploads/?digest={Digests.Empty}", Bytes);
        Assert.Equal(400, (int)wrong.StatusCode);
        Assert.Equal("DIGEST_INVALID", await wrong.ErrorCodeAsync());
        Assert.Equal(201, await _client.StatusAsync("POST", $"/v2/a/blobs/uploads/?digest={Digests.Sha512(Bytes)}", Bytes));
    }

    [Fact]
    public async Task AnEmptyBlobIsABlob()
    {
        Assert.Equal(Digests.Empty, await _client.PushBlobAsync("a", []));
        using var head = await _client.CallAsync("HEAD", $"/v2/a/blobs/{Digests.Empty}");
        Assert.Equal("0", head.Header("Content-Length"));
    }

    [Theory]
    [InlineData(4, long.MaxValue)]
    [InlineData(long.MaxValue, 4)]
    public async Task LargeBlobsAreKeptInAFileOrDiscarded(long inMemory, long discard)
    {
        (_registry.Options.KeepInMemoryUpTo, _registry.Options.DiscardBlobsLargerThan) = (inMemory, discard);
        await _client.PushBlobAsync("a", Bytes);
        using var head = await _client.CallAsync("HEAD", $"/v2/a/blobs/{Digest}");
        Assert.Equal("10", head.Header("Content-Length"));
        using var get = await _client.CallAsync("GET", $"/v2/a/blobs/{Digest}");
        Assert.Equal(discard == 4 ? 500 : 200, (int)get.StatusCode);
        if (discard > 4)
            Assert.Equal(Bytes, await get.Content.ReadAsByteArrayAsync(Calls.Cancel));
    }
}
