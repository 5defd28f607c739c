using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryManifests : IAsyncLifetime
{
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
    public async Task ASeededImageIsThereWholeByTagAndDigest()
    {
        var image = _registry.SeedImage("base/os", "1");
        foreach (var reference in new[] { "1", image.Digest })
        {
            using var head = await _client.CallAsync("HEAD", $"/v2/base/os/manifests/{reference}");
            Assert.Equal((200, image.Digest, image.MediaType), ((int)head.StatusCode, head.Header("Docker-Content-Digest"), head.Header("Content-Type")));
        }

        Assert.All(image.LayerDigests.Append(image.ConfigDigest), d => Assert.True(_registry.Content.HasBlob("base/os", d)));
        var index = _registry.SeedIndex("base/os", "all");
        Assert.Equal(index, _registry.Content.AllTags["base/os:all"]);
        Assert.Equal(image.Digest, _registry.SeedImage("base/os", "2").Digest);
    }

    [Fact]
    public async Task WhatRefersToUnknownBlobsIsRefused()
    {
        var image = _registry.SeedImage("from", "1");
        using var response = await PutAsync("to", "1", image.Manifest.ToArray(), image.MediaType);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", await response.ErrorCodeAsync());
        _registry.SeedIndex("from", "all");
        var index = _registry.Content.Manifest("from", "all")!;
        using var child = await PutAsync("to", "all", index.Bytes.ToArray(), index.MediaType);
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", await child.ErrorCodeAsync());
        Assert.Empty(_registry.Content.Tags("to"));
    }

    [Theory]
    [InlineData("[]", "MANIFEST_INVALID")]
    [InlineData("no json", "MANIFEST_INVALID")]
    [InlineData("""{"mediaType":"application/vnd.oci.image.index.v1+json"}""", "MANIFEST_INVALID")]
    [InlineData("""{"manifests":[],"layers":[]}""", "MANIFEST_INVALID")]
    [InlineData("""{"layers":[],"layers":[]}""", "MANIFEST_INVALID")]
    public async Task MalformedManifestsAreRefused(string text, string code)
    {
        using var response = await PutAsync("a", "1", Encoding.UTF8.GetBytes(text), MediaTypes.OciManifest);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(code, await response.ErrorCodeAsync());
    }

    [Fact]
    public async Task DigestTagSizeAndTypeAreChecked()
    {
        var bytes = Encoding.UTF8.GetBytes("""{"layers":[]}""");
        Assert.Equal(400, await StatusAsync(Digests.Empty, bytes, MediaTypes.OciManifest));
        Assert.Equal(400, await StatusAsync("-bad", bytes, MediaTypes.OciManifest));
        Assert.Equal(413, await StatusAsync("1", new byte[(4 << 20) + 1], MediaTypes.OciManifest));
        Assert.Equal(400, await _client.StatusAsync("PUT", "/v2/a/manifests/1", bytes));
        Assert.Equal(201, await StatusAsync(Digests.Sha256(bytes), bytes, MediaTypes.OciManifest));
        Assert.Empty(_registry.Content.AllTags);
    }

    [Fact]
    public async Task AnImmutableTagDoesNotMove()
    {
        _registry.Options.Content.ImmutableTagStatus = 409;
        var (one, two) = (Encoding.UTF8.GetBytes("""{"layers":[]}"""), Encoding.UTF8.GetBytes("""{"layers":[] }"""));
        Assert.Equal(201, await StatusAsync("1", one, MediaTypes.OciManifest));
        Assert.Equal(201, await StatusAsync("1", one, MediaTypes.OciManifest));
        Assert.Equal(409, await StatusAsync("1", two, MediaTypes.OciManifest));
    }

    [Fact]
    public async Task ManifestsAndTagsCanBeDeleted()
    {
        var image = _registry.SeedImage("a", "1");
        _registry.Content.Tag("a", "2", image.Digest);
        Assert.Equal(202, await _client.StatusAsync("DELETE", "/v2/a/manifests/1"));
        Assert.Equal(["2"], _registry.Content.Tags("a").Keys);
        Assert.Equal(202, await _client.StatusAsync("DELETE", $"/v2/a/manifests/{image.Digest}"));
        Assert.Equal(404, await _client.StatusAsync("GET", "/v2/a/manifests/2"));
        _registry.Options.Content.DeleteManifests = false;
        Assert.Equal(405, await _client.StatusAsync("DELETE", "/v2/a/manifests/2"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task TagListsArePagedByLinks(bool opaque, bool absolute)
    {
        (_registry.Options.Content.OpaqueLinks, _registry.Options.Content.AbsoluteLinks) = (opaque, absolute);
        var image = _registry.SeedImage("a", "t0");
        for (var i = 1; i < 5; i++)
            _registry.Content.Tag("a", $"t{i}", image.Digest);
        var seen = new List<string>();
        for (string? next = "/v2/a/tags/list?n=2"; next is not null;)
        {
            using var response = await _client.CallAsync("GET", next);
            var tags = (await response.JsonAsync())["tags"]!.AsArray();
            Assert.True(tags.Count <= 2);
            seen.AddRange(tags.Select(t => t!.GetValue<string>()));
            next = response.Header("Link")?.Split('<', '>')[1];
        }

        Assert.Equal(["t0", "t1", "t2", "t3", "t4"], seen);
        Assert.Equal(404, await _client.StatusAsync("GET", "/v2/none/tags/list"));
        Assert.Equal(400, await _client.StatusAsync("GET", "/v2/a/tags/list?n=x"));
    }

    [Fact]
    public async Task TheCatalogListsRepositories()
    {
        _registry.SeedImage("b/c", "1");
        _registry.SeedImage("a", "1");
        using var response = await _client.CallAsync("GET", "/v2/_catalog");
        Assert.Equal("""{"repositories":["a","b/c"]}""", (await response.JsonAsync()).ToJsonString());
    }

    [Fact]
    public async Task ReferrersAreListedAndFiltered()
    {
        var image = _registry.SeedImage("a", "1");
        var config = _registry.Content.PutBlob("a", "{}"u8);
        var referrer = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/example",
            ["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.empty.v1+json", ["digest"] = config, ["size"] = 2 },
            ["layers"] = new JsonArray(),
            ["subject"] = new JsonObject { ["digest"] = image.Digest },
        }.ToJsonString());
        using var put = await PutAsync("a", Digests.Sha256(referrer), referrer, MediaTypes.OciManifest);
        Assert.Equal((201, image.Digest), ((int)put.StatusCode, put.Header("OCI-Subject")));
        Assert.Equal(1, await CountAsync(""));
        Assert.Equal(1, await CountAsync("?artifactType=application%2Fexample"));
        Assert.Equal(0, await CountAsync("?artifactType=other"));
        _registry.Options.Content.Referrers = false;
        Assert.Equal(404, await _client.StatusAsync("GET", $"/v2/a/referrers/{image.Digest}"));

        async Task<int> CountAsync(string query)
        {
            using var response = await _client.CallAsync("GET", $"/v2/a/referrers/{image.Digest}{query}");
            Assert.Equal(MediaTypes.OciIndex, response.Header("Content-Type"));
            return (await response.JsonAsync())["manifests"]!.AsArray().Count;
        }
    }

    private Task<HttpResponseMessage> PutAsync(string repository, string reference, byte[] bytes, string mediaType) =>
        _client.CallAsync("PUT", $"/v2/{repository}/manifests/{reference}", bytes, $"Content-Type: {mediaType}");

    private Task<int> StatusAsync(string reference, byte[] bytes, string mediaType) =>
        _client.StatusAsync("PUT", $"/v2/a/manifests/{reference}", bytes, $"Content-Type: {mediaType}");
}
