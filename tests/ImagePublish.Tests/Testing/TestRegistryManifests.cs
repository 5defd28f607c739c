using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Testing;

public sealed class TestRegistryManifests : IAsyncLifetime
{
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
    public async Task ASeededImageIsThereWholeByTagAndDigest()
    {
        var image = registry.SeedImage("base/os", "1");
        foreach (var reference in new[] { "1", image.Digest })
        {
            using var head = await client.CallAsync("HEAD", $"/v2/base/os/manifests/{reference}");
            Assert.Equal(
                (200, image.Digest, image.MediaType),
                ((int)head.StatusCode, head.Header("Docker-Content-Digest"), head.Header("Content-Type"))
            );
        }

        Assert.All(image.LayerDigests.Append(image.ConfigDigest), d => Assert.True(registry.Content.HasBlob("base/os", d)));
        var index = registry.SeedIndex("base/os", "all");
        Assert.Equal(index, registry.Content.AllTags["base/os:all"]);
        Assert.Equal(image.Digest, registry.SeedImage("base/os", "2").Digest);
    }

    [Fact]
    public async Task WhatRefersToUnknownBlobsIsRefused()
    {
        var image = registry.SeedImage("from", "1");
        using var response = await PutAsync("to", "1", image.Manifest.ToArray(), image.MediaType);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", await response.ErrorCodeAsync());
        registry.SeedIndex("from", "all");
        var index = registry.Content.Manifest("from", "all")!;
        using var child = await PutAsync("to", "all", index.Bytes.ToArray(), index.MediaType);
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", await child.ErrorCodeAsync());
        Assert.Empty(registry.Content.Tags("to"));
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
        Assert.Equal(400, await client.StatusAsync("PUT", "/v2/a/manifests/1", bytes));
        Assert.Equal(201, await StatusAsync(Digests.Sha256(bytes), bytes, MediaTypes.OciManifest));
        Assert.Empty(registry.Content.AllTags);
    }

    [Fact]
    public async Task AnImmutableTagDoesNotMove()
    {
        registry.Options.Content.ImmutableTagStatus = 409;
        var (one, two) = (Encoding.UTF8.GetBytes("""{"layers":[]}"""), Encoding.UTF8.GetBytes("""{"layers":[] }"""));
        Assert.Equal(201, await StatusAsync("1", one, MediaTypes.OciManifest));
        Assert.Equal(201, await StatusAsync("1", one, MediaTypes.OciManifest));
        Assert.Equal(409, await StatusAsync("1", two, MediaTypes.OciManifest));
    }

    [Fact]
    public async Task ManifestsAndTagsCanBeDeleted()
    {
        var image = registry.SeedImage("a", "1");
        registry.Content.Tag("a", "2", image.Digest);
        Assert.Equal(202, await client.StatusAsync("DELETE", "/v2/a/manifests/1"));
        Assert.Equal(["2"], registry.Content.Tags("a").Keys);
        Assert.Equal(202, await client.StatusAsync("DELETE", $"/v2/a/manifests/{image.Digest}"));
        Assert.Equal(404, await client.StatusAsync("GET", "/v2/a/manifests/2"));
        registry.Options.Content.DeleteManifests = false;
        Assert.Equal(405, await client.StatusAsync("DELETE", "/v2/a/manifests/2"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task TagListsArePagedByLinks(bool opaque, bool absolute)
    {
        (registry.Options.Content.OpaqueLinks, registry.Options.Content.AbsoluteLinks) = (opaque, absolute);
        var image = registry.SeedImage("a", "t0");
        for (var i = 1; i < 5; i++)
            registry.Content.Tag("a", $"t{i}", image.Digest);
        var seen = new List<string>();
        for (string? next = "/v2/a/tags/list?n=2"; next is not null; )
        {
            using var response = await client.CallAsync("GET", next);
            var tags = (await response.JsonAsync())["tags"]!.AsArray();
            Assert.True(tags.Count <= 2);
            seen.AddRange(tags.Select(t => t!.GetValue<string>()));
            next = response.Header("Link")?.Split('<', '>')[1];
        }

        Assert.Equal(["t0", "t1", "t2", "t3", "t4"], seen);
        Assert.Equal(404, await client.StatusAsync("GET", "/v2/none/tags/list"));
        Assert.Equal(400, await client.StatusAsync("GET", "/v2/a/tags/list?n=x"));
    }

    [Fact]
    public async Task TheCatalogListsRepositories()
    {
        registry.SeedImage("b/c", "1");
        registry.SeedImage("a", "1");
        using var response = await client.CallAsync("GET", "/v2/_catalog");
        Assert.Equal("""{"repositories":["a","b/c"]}""", (await response.JsonAsync()).ToJsonString());
    }

    [Fact]
    public async Task ReferrersAreListedAndFiltered()
    {
        var image = registry.SeedImage("a", "1");
        var config = registry.Content.PutBlob("a", "{}"u8);
        var referrer = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["mediaType"] = MediaTypes.OciManifest,
                ["artifactType"] = "application/example",
                ["config"] = new JsonObject
                {
                    ["mediaType"] = "application/vnd.oci.empty.v1+json",
                    ["digest"] = config,
                    ["size"] = 2,
                },
                ["layers"] = new JsonArray(),
                ["subject"] = new JsonObject { ["digest"] = image.Digest },
            }.ToJsonString()
        );
        using var put = await PutAsync("a", Digests.Sha256(referrer), referrer, MediaTypes.OciManifest);
        Assert.Equal((201, image.Digest), ((int)put.StatusCode, put.Header("OCI-Subject")));
        Assert.Equal(1, await CountAsync(""));
        Assert.Equal(1, await CountAsync("?artifactType=application%2Fexample"));
        Assert.Equal(0, await CountAsync("?artifactType=other"));
        registry.Options.Content.Referrers = false;
        Assert.Equal(404, await client.StatusAsync("GET", $"/v2/a/referrers/{image.Digest}"));

        async Task<int> CountAsync(string query)
        {
            using var response = await client.CallAsync("GET", $"/v2/a/referrers/{image.Digest}{query}");
            Assert.Equal(MediaTypes.OciIndex, response.Header("Content-Type"));
            return (await response.JsonAsync())["manifests"]!.AsArray().Count;
        }
    }

    private Task<HttpResponseMessage> PutAsync(string repository, string reference, byte[] bytes, string mediaType) =>
        client.CallAsync("PUT", $"/v2/{repository}/manifests/{reference}", bytes, $"Content-Type: {mediaType}");

    private Task<int> StatusAsync(string reference, byte[] bytes, string mediaType) =>
        client.StatusAsync("PUT", $"/v2/a/manifests/{reference}", bytes, $"Content-Type: {mediaType}");
}
