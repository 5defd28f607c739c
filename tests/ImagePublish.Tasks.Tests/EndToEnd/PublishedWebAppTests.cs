using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What <c>dotnet publish -p:PublishImage=true</c> says it did, and what a registry, skopeo and umoci find.</summary>
public sealed class PublishedWebAppTests(WebApp app, Peers peers) : IClassFixture<WebApp>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheBuildsResultsAgreeWithTheRegistry()
    {
        var manifest = await app.Registry.ManifestAsync(WebApp.Repository, app.Digest, Cancelled);
        var item = Assert.Single(app.Published.PublishedImages);
        using var json = JsonDocument.Parse(app.Result);
        var result = json.RootElement;

        Assert.Empty(app.Published.Messages);
        Assert.Equal(manifest.Digest, app.Digest);
        Assert.Equal(app.Reference, app.Published.Properties["ImageReference"]);
        Assert.Equal(app.Reference, item["Identity"]);
        Assert.Equal(app.Registry.Host, item["Registry"]);
        Assert.Equal(WebApp.Repository, item["Repository"]);
        Assert.Equal("1.2.3;latest", item["Tags"]);
        Assert.Equal(manifest.MediaType, item["MediaType"]);
        Assert.Equal("linux/amd64", item["Platform"]);
        Assert.Equal(1, result.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(app.Digest, result.GetProperty("digest").GetString());
        Assert.Equal(app.Reference, result.GetProperty("images")[0].GetProperty("reference").GetString());
        Assert.Equal(item["Size"], result.GetProperty("size").GetRawText());
        Assert.Equal(
            manifest.Layers.Select(layer => (layer.GetProperty("digest").GetString(), layer.GetProperty("size").GetInt64())),
            result
                .GetProperty("layers")
                .EnumerateArray()
                .Select(layer => (layer.GetProperty("digest").GetString(), layer.GetProperty("size").GetInt64()))
        );
    }

    [Fact]
    public async Task EveryByteOfTheImageIsAccountedFor()
    {
        var manifest = await app.Registry.ManifestAsync(WebApp.Repository, app.Digest, Cancelled);
        var item = app.Published.PublishedImages[0];
        long Number(string name) => long.Parse(item[name], System.Globalization.CultureInfo.InvariantCulture);
        var config = manifest.Json.GetProperty("config").GetProperty("size").GetInt64();
        var layers = manifest.Layers.Sum(layer => layer.GetProperty("size").GetInt64());

        Assert.Equal(layers + config, Number("Size"));
        Assert.Equal(layers + config, Number("UploadedBytes") + Number("MountedBytes") + Number("ReusedBytes"));
        Assert.Equal(manifest.Layers.Take(4).Sum(layer => layer.GetProperty("size").GetInt64()), Number("MountedBytes"));
    }

    [Fact]
    public async Task AReleaseIsTaggedWithItsVersionAndLatest()
    {
        Assert.Equal(["1.2.3", "latest"], await app.Registry.TagsAsync(WebApp.Repository, Cancelled));
        foreach (var tag in new[] { "1.2.3", "latest" })
            Assert.Equal(app.Digest, (await app.Registry.ManifestAsync(WebApp.Repository, tag, Cancelled)).Digest);
    }

    [Fact]
    public async Task TheConfigKeepsWhatTheBaseSaysAndAddsTheApp()
    {
        var config = await app.Registry.ConfigAsync(WebApp.Repository, app.Digest, Cancelled);
        var container = config.GetProperty("config");
        var environment = container.GetProperty("Env").EnumerateArray().Select(value => value.GetString()).ToList();

        Assert.Equal("""{"kept":[1,2.5,"drei",null]}""", config.GetProperty(BaseImage.UnknownConfigField).GetRawText());
        Assert.True(container.GetProperty("ComExampleUnknown").GetBoolean());
        Assert.Equal("The tests", config.GetProperty("author").GetString());
        Assert.Equal("kept", container.GetProperty("Labels").GetProperty("com.example.base").GetString());
        Assert.Contains("DOTNET_RUNNING_IN_CONTAINER=true", environment);
        Assert.Equal("""["dotnet","/app/Shop.dll"]""", container.GetProperty("Entrypoint").GetRawText());
        Assert.Equal("/app", container.GetProperty("WorkingDir").GetString());
        Assert.Equal("1654", container.GetProperty("User").GetString());
        Assert.Equal("""{"8080/tcp":{}}""", container.GetProperty("ExposedPorts").GetRawText());
        Assert.False(container.TryGetProperty("Cmd", out _));
    }

    [Fact]
    public async Task DifficultValuesArriveByteForByte()
    {
        var container = (await app.Registry.ConfigAsync(WebApp.Repository, app.Digest, Cancelled)).GetProperty("config");
        var labels = container.GetProperty("Labels");

        Assert.Contains($"DIFFICULT={WebApp.Difficult}", container.GetProperty("Env").EnumerateArray().Select(value => value.GetString()));
        Assert.Equal(WebApp.Difficult, labels.GetProperty("com.example.difficult").GetString());
        Assert.Equal("", labels.GetProperty("com.example.empty").GetString());
    }

    [Fact]
    public async Task DockerPullsItByDigestAndItAnswersWithoutRights()
    {
        var docker = await peers.DockerAsync();

        await docker.PullAsync(app.Reference, Cancelled);
        await using var container = await docker.StartAsync(app.Reference, Cancelled);
        using var answer = await container.GetAsync("/", Cancelled);
        using var variable = await container.GetAsync("/environment/DIFFICULT", Cancelled);
        var user = await docker.Command("exec", container.Id, "id", "-u").SucceedAsync(Cancelled);

        Assert.Equal("Hello World!", await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(WebApp.Difficult, await variable.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal("1654", user.Output.Trim());
    }

    [Fact]
    public async Task SkopeoInspectsItAndCopiesItUnchanged()
    {
        var copy = $"{app.Registry.Host}/web-app/copy:skopeo";

        var inspected = await Skopeo.InspectAsync(app.Reference, Cancelled);
        await Skopeo.CopyAsync($"docker://{app.Reference}", $"docker://{copy}", Cancelled, "--preserve-digests");

        using var json = JsonDocument.Parse(inspected);
        Assert.Equal(app.Digest, json.RootElement.GetProperty("Digest").GetString());
        Assert.Equal("amd64", json.RootElement.GetProperty("Architecture").GetString());
        Assert.Equal(app.Digest, (await app.Registry.ManifestAsync("web-app/copy", "skopeo", Cancelled)).Digest);
    }

    [Fact]
    public async Task UmociUnpacksFilesThatBelongToRootWithPlainModesAndLinks()
    {
        var layout = app["layout"];
        var bundle = app["bundle"];
        await Skopeo.CopyAsync($"docker://{app.Reference}", $"oci:{layout}:shop", Cancelled);

        await CommandLine.AsRoot("umoci", "unpack", "--image", $"{layout}:shop", bundle).SucceedAsync(Cancelled);
        var listing = await CommandLine
            .AsRoot("find", Path.Combine(bundle, "rootfs", "app"), "-printf", "%P %y %m %U:%G %l\\n")
            .SucceedAsync(Cancelled);
        await CommandLine.AsRoot("rm", "-rf", bundle).SucceedAsync(Cancelled);
        var lines = listing.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd()).ToList();

        Assert.Equal(" d 755 0:0", lines[0]);
        Assert.Contains("Shop.dll f 644 0:0", lines);
        Assert.Contains("Shop f 755 0:0", lines);
        Assert.Contains("web.config f 644 0:0", lines);
        Assert.Contains("late.txt f 644 0:0", lines);
        Assert.Contains("tool.sh f 755 0:0", lines);
        Assert.Contains("deep/er d 755 0:0", lines);
        Assert.Contains("deep/er/settings l 777 0:0 ../../appsettings.json", lines);
        Assert.Contains("shallow l 777 0:0 deep", lines);
        Assert.All(lines, line => Assert.Matches("( d 755| f 644| f 755| l 777) 0:0", line));
    }

    [Fact]
    public async Task PublishingAgainChangesNothingAndOnlyAsks()
    {
        app.Registry.ForgetRequests();

        var again = await app.PublishAsync(Cancelled, "-p:ImageTags=1.2.3");

        var requests = app.Registry.Requests.Where(request => request.Path.StartsWith("/v2/web-app/", StringComparison.Ordinal)).ToList();
        again.EnsureSuccess();
        Assert.Equal(app.Digest, again.Digest);
        Assert.Contains($" -> {app.Registry.Host}/{WebApp.Repository}:1.2.3 (unchanged)", again.Command.Output, StringComparison.Ordinal);
        Assert.Equal("0", again.PublishedImages[0]["UploadedBytes"]);
        Assert.All(requests, request => Assert.Equal("HEAD", request.Method));
        Assert.True(requests.Count == 2, string.Join('\n', requests));
    }

    [Fact]
    public async Task TheTargetDoesTheSameInABuild()
    {
        string[] switches =
        [
            .. app.Switches.Where(value => !value.StartsWith("-p:PublishImage", StringComparison.Ordinal)),
            "-c",
            "Release",
            "-p:ImageRepository=web-app/target",
        ];

        var build = (await app.Project.TargetAsync("PublishImage", Cancelled, switches)).EnsureSuccess();

        Assert.Equal(app.Digest, build.Digest);
        Assert.Equal(["1.2.3", "latest"], await app.Registry.TagsAsync("web-app/target", Cancelled));
    }
}
