using System.Text;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

public sealed class DocumentTests
{
    private const string Hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void AConfigKeepsEveryFieldItDoesNotKnow()
    {
        const string Config = """
            {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"created":"2024-01-01T00:00:00.123456789Z","config":{"ExposedPorts":{"80/tcp":{}},"Env":["A=ü<>&'\""],"Healthcheck":{"Test":["NONE"],"Novel":1},"OnBuild":["x"],"Shell":["sh"]},"history":[{"created":"2024","weird":1}],"novel":{"a":[1,2.50]}}
            """;

        Assert.Equal(Config, Encoding.UTF8.GetString(OciJson.Write(OciJson.ReadConfig(Encoding.UTF8.GetBytes(Config)))));
    }

    [Fact]
    public void AManifestKeepsEveryFieldItDoesNotKnow()
    {
        const string Manifest = $$$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"c","digest":"{{{Hash}}}","size":2,"x":1},"layers":[{"mediaType":"l","digest":"{{{Hash}}}","size":3,"urls":["https://example.org/a"],"annotations":{"b":"2","a":"1"}}],"annotations":{"k":"v"},"novel":true}
            """;

        Assert.Equal(Manifest, Encoding.UTF8.GetString(OciJson.Write(OciJson.ReadManifest(Encoding.UTF8.GetBytes(Manifest)))));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"schemaVersion\":2,\"layers\":[]}")]
    [InlineData("{\"config\":null,\"layers\":[]}")]
    [InlineData("{\"config\":{\"mediaType\":\"c\",\"digest\":\"" + Hash + "\",\"size\":1},\"layers\":[null]}")]
    [InlineData("{\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:../../etc\",\"size\":1},\"layers\":[]}")]
    [InlineData("{\"config\":{\"mediaType\":\"c\",\"digest\":\"" + Hash + "\",\"size\":-1},\"layers\":[]}")]
    [InlineData("{\"config\":{\"mediaType\":\"c\",\"digest\":\"" + Hash + "\",\"size\":1},\"layers\":[],\"layers\":[]}")]
    [InlineData("{\"config\":{\"mediaType\":\"c\",\"digest\":\"" + Hash + "\",\"size\":1},\"layers\":[],\"manifests\":[]}")]
    public void AManifestIsReadStrictly(string json) =>
        Assert.ThrowsAny<JsonException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("{\"manifests\":[],\"layers\":[]}")]
    [InlineData("{\"manifests\":[],\"config\":{}}")]
    public void AnIndexThatCouldBeAManifestIsRefused(string json) =>
        Assert.ThrowsAny<JsonException>(() => OciJson.ReadIndex(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void NullAmongTheDiffIdsIsRefused() =>
        Assert.ThrowsAny<JsonException>(() =>
            OciJson.ReadConfig("{\"architecture\":\"a\",\"os\":\"o\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[null]}}"u8)
        );

    [Fact]
    public void WhatIsNotInUtf8IsRefused() =>
        Assert.ThrowsAny<JsonException>(() => OciJson.ReadIndex([.. "{\"manifests\":[],\"x\":\""u8, 0xC8, .. "\"}"u8]));

    [Fact]
    public void DeepJsonIsRefused()
    {
        var deep = "{\"manifests\":[],\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "}";

        Assert.ThrowsAny<JsonException>(() => OciJson.ReadIndex(Encoding.UTF8.GetBytes(deep)));
    }

    [Fact]
    public void AByteOrderMarkIsPassedOver() => Assert.Empty(OciJson.ReadIndex("\uFEFF{\"manifests\":[]}"u8).Manifests);
}
