using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace ImagePublish.Tasks.Tests.AppHosts;

/// <summary>
/// <c>UseImagePublish</c> in a real AppHost: published by Aspire's own pipeline to a real registry, where no container engine runs, and
/// then run by Docker from there.
/// </summary>
public sealed class AppHostTests(Peers peers, PublishedAppHost host) : IClassFixture<PublishedAppHost>
{
    private static readonly string[] Projects = ["inventory", "storefront"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private DockerRegistry Registry => host.Registry;

    [Fact]
    public async Task TheComposeFileNamesTheImagesByTheDigestsOfTheirTags()
    {
        Assert.Equal(0, host.First.ExitCode);
        var services = Services();
        foreach (var project in Projects)
        {
            var served = await Registry.ManifestAsync($"acme/{project}", "latest", Cancelled);
            Assert.Equal($"{Registry.Host}/acme/{project}@{served.Digest}", $"{services[project]["image"]}");
            Assert.Equal(1, PutsOf($"acme/{project}", "latest"));
        }

        Assert.StartsWith("docker.io/library/postgres:", $"{services["postgres"]["image"]}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task DockerRunsTheImagesOfTheComposeFile()
    {
        var docker = await peers.DockerAsync();
        var services = Services();
        var connection = $"{services["inventory"]["environment"]["ConnectionStrings__shop"]}";
        await using var inventory = await docker.StartAsync(
            $"{services["inventory"]["image"]}",
            ["--ConnectionStrings:shop", connection],
            Cancelled
        );
        Assert.Equal("http://inventory:8080", $"{services["storefront"]["environment"]["services__inventory__http__0"]}");
        await using var storefront = await docker.StartAsync(
            $"{services["storefront"]["image"]}",
            ["--services:inventory:http:0", $"http://localhost:{inventory.Port}"],
            Cancelled
        );

        using var answer = await storefront.GetAsync("/", Cancelled);

        Assert.Equal("The inventory is in the database 'shop' on postgres.", await answer.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task AspiresManifestHasTheImagesAndNothingIsPushedAgain()
    {
        var before = Registry.Requests.Count;

        var run = await host.RunAsync("", "--publisher", "manifest", "--output-path", host["aspire-manifest.json"]);

        run.EnsureSuccess();
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(host["aspire-manifest.json"], Cancelled));
        var resources = manifest.RootElement.GetProperty("resources");
        foreach (var project in Projects)
        {
            var entry = resources.GetProperty(project);
            Assert.Equal("project.v0", entry.GetProperty("type").GetString());
            Assert.EndsWith(".csproj", entry.GetProperty("path").GetString(), StringComparison.Ordinal);
            Assert.Equal($"{Services()[project]["image"]}", entry.GetProperty("image").GetString());
            Assert.NotEmpty(entry.GetProperty("bindings").EnumerateObject());
        }

        Assert.Equal(
            "{shop.connectionString}",
            resources.GetProperty("inventory").GetProperty("env").GetProperty("ConnectionStrings__shop").GetString()
        );
        Assert.DoesNotContain(Registry.Requests.Skip(before), request => request.Method != "HEAD" && request.Method != "GET");
    }

    [Fact]
    public async Task BuildOptionsNamesBaseImagesAndContainerFilesOfTheAppHostCount()
    {
        var run = await host.RunAsync("options", "--operation", "publish", "--step", "push", "--archives", host["archives"]);

        run.EnsureSuccess();
        var index = await Registry.ManifestAsync("acme/team/inventory", "2.0", Cancelled);
        Assert.Equal("application/vnd.docker.distribution.manifest.list.v2+json", index.MediaType);
        var platforms = index.Json.GetProperty("manifests").EnumerateArray().ToList();
        Assert.Equal(["amd64", "arm64"], platforms.Select(platform => $"{platform.GetProperty("platform").GetProperty("architecture")}"));
        var config = await Registry.ConfigAsync("acme/team/inventory", $"{platforms[0].GetProperty("digest")}", Cancelled);
        Assert.Equal("1000:1000", $"{config.GetProperty("config").GetProperty("User")}");
        var labels = config.GetProperty("config").GetProperty("Labels");
        Assert.Equal($"{Registry.Host}/dotnet/runtime:10.0", $"{labels.GetProperty("org.opencontainers.image.base.name")}");
        Assert.True(File.Exists(Path.Combine(host["archives"], "archived-latest.tar")));
        Assert.DoesNotContain(Registry.Requests, request => request.Path.StartsWith("/v2/acme/archived/", StringComparison.Ordinal));
        await AssertFilesAreALayerAsync();
    }

    [Fact]
    public async Task ABuildPushesNothing()
    {
        var before = Registry.Requests.Count;

        var run = await host.RunAsync("", "--operation", "publish", "--step", "build");

        run.EnsureSuccess();
        Assert.DoesNotContain(Registry.Requests.Skip(before), request => request.Method is "PUT" or "POST" or "PATCH");
    }

    [Fact]
    public async Task WithoutAPushFilesKeepAspiresPlaceholders()
    {
        var before = Registry.Requests.Count;

        var run = await host.RunAsync("files-only", "--operation", "publish", "--step", "publish", "--output-path", host["files"]);

        run.EnsureSuccess();
        var written = await File.ReadAllTextAsync(host["files/docker-compose.yaml"], Cancelled);
        Assert.Contains("image: \"${INVENTORY_IMAGE}\"", written, StringComparison.Ordinal);
        Assert.Empty(Registry.Requests.Skip(before));
    }

    [Fact]
    [ReliabilityCase(
        "Aspire",
        "a project of an AppHost with `UseImagePublish` does not reference this package",
        "IMG1042 before anything is pushed; the .NET SDK's target does not run"
    )]
    public async Task AProjectWithoutThePackageIsAnErrorBeforeAnythingIsPushed()
    {
        var before = Registry.Requests.Count;
        host.ReferencePackage("Storefront", isReferenced: false);

        var run = await host.RunAsync("", "--operation", "publish", "--step", "push-storefront");

        host.ReferencePackage("Storefront", isReferenced: true);
        Assert.Equal(1, run.ExitCode);
        Assert.Matches("error IMG1042: UseImagePublish can't publish Storefront, which does not reference ImagePublish.Tasks.", run.All);
        Assert.Empty(Registry.Requests.Skip(before));
    }

    private async Task AssertFilesAreALayerAsync()
    {
        var plain = await Registry.ManifestAsync("acme/storefront", $"{Services()["storefront"]["image"]}".Split('@')[1], Cancelled);
        var known = plain.Layers.Select(layer => $"{layer.GetProperty("digest")}").ToHashSet();
        var layered = await Registry.ManifestAsync("acme/storefront", "with-files", Cancelled);
        var entries = new List<string>();
        foreach (var layer in layered.Layers.Where(layer => !known.Contains($"{layer.GetProperty("digest")}")))
            entries.AddRange(await Registry.EntriesAsync("acme/storefront", layer, Cancelled));
        Assert.Contains(entries, entry => entry.EndsWith(" app/wwwroot/passwd", StringComparison.Ordinal));
        Assert.DoesNotContain(entries, entry => entry.EndsWith(" app/Storefront.dll", StringComparison.Ordinal));
    }

    private int PutsOf(string repository, string tag) =>
        Registry.Requests.Count(request => request.Method == "PUT" && request.Path == $"/v2/{repository}/manifests/{tag}");

    private Dictionary<string, YamlNode> Services()
    {
        var yaml = new YamlStream();
        using var reader = File.OpenText(host.ComposeFile);
        yaml.Load(reader);
        return ((YamlMappingNode)yaml.Documents[0].RootNode["services"]).ToDictionary(
            service => $"{service.Key}",
            service => service.Value
        );
    }
}
