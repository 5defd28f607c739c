using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Layers;

namespace ImagePublish.Tests.Layers;

public sealed class StaticWebAssetsTests
{
    private const string Blue = "a { color: blue }";

    [Fact]
    public void TheSameContentIsTheSameWheneverItWasBuilt() =>
        Assert.Equal(
            Canonical(Manifest(Blue, "Mon, 23 Nov 2026 17:47:47 GMT")),
            Canonical(Manifest(Blue, "Tue, 01 Jan 2030 00:00:00 GMT"))
        );

    [Fact]
    public void OtherContentHasAnotherTime() =>
        Assert.NotEqual(LastModified(Manifest(Blue, "x")), LastModified(Manifest("a { color: gray }", "x")));

    [Fact]
    public void TheTimeIsThatOfTheFileInTheImage() =>
        Assert.Equal(StaticContent.TimeOf(new FileInMemory(Encoding.UTF8.GetBytes(Blue))).ToString("R"), LastModified(Manifest(Blue, "x")));

    [Fact]
    public void NothingElseChanges() =>
        Assert.Equal(
            Manifest(Blue, "x").Replace("\"x\"", $"\"{LastModified(Manifest(Blue, "x"))}\"", StringComparison.Ordinal),
            Canonical(Manifest(Blue, "x"))
        );

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("""{"Endpoints":[{"ResponseHeaders":[{"Name":1}]}]}""")]
    [InlineData("""{"Endpoints":1}""")]
    public void WhatIsNotUnderstoodStays(string text) => Assert.Equal(text, Canonical(text));

    [Theory]
    [InlineData("App.staticwebassets.endpoints.json", true)]
    [InlineData("deep/App.staticwebassets.endpoints.json", false)]
    [InlineData("App.runtimeconfig.json", false)]
    public void ItLiesBesideTheApp(string path, bool isIt) => Assert.Equal(isIt, StaticWebAssets.IsAt(path));

    // As the SDK writes it.
    private static string Manifest(string content, string time)
    {
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
        return $$"""{"Version":1,"ManifestType":"Publish","Endpoints":[{"Route":"site.ä+.css","AssetFile":"site.css","Selectors":[],"ResponseHeaders":[{"Name":"ETag","Value":"\"{{hash}}\""},{"Name":"Last-Modified","Value":"{{time}}"}],"EndpointProperties":[]}]}""";
    }

    private static string LastModified(string manifest) =>
        JsonNode.Parse(Canonical(manifest))!["Endpoints"]![0]!["ResponseHeaders"]![1]!["Value"]!.GetValue<string>();

    private static string Canonical(string text)
    {
        using var reader = new StreamReader(StaticWebAssets.Canonical(new FileInMemory(Encoding.UTF8.GetBytes(text))).Open());
        return reader.ReadToEnd();
    }
}
