using System.Runtime.InteropServices;
using ImagePublish.Tasks.Tests.Documentation;
using ImagePublish.Tasks.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>The samples publish from a fresh clone, with tasks that are built on the way, and run in Docker.</summary>
public sealed class SamplesTests(Peers peers, PublishedSamples samples) : IClassFixture<PublishedSamples>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void EachSampleIsInTheList()
    {
        var root = Path.Combine(RepositoryRoot.Path, "samples");
        var list = File.ReadAllText(Path.Combine(root, "README.md"));

        Assert.All(Directory.GetDirectories(root).Select(Path.GetFileName), name =>
            Assert.Contains($"[{name}]({name}/README.md)", list, StringComparison.Ordinal)
        );
    }

    // On the layers of the base: HelloWeb and Scratch have packages and the runtime below the app; Shop's packages lie in several.
    [Theory]
    [InlineData("helloweb", "1.0.0 latest", 3, 3)]
    [InlineData("shop", "1.4.2 latest", 8, 20)]
    [InlineData("samples/worker", "1.0.0 latest", 5, 5)]
    [InlineData("samples/scratch", "1.0.0 latest", 3, 3)]
    [InlineData("samples/aot", "1.0.0 latest", 3, 3)]
    [InlineData("samples/extras", "1.0.0 latest", 6, 7)]
    [InlineData("samples/basket", "2 2.1 2.1.0 latest", 6, 6)]
    [InlineData("samples/catalog", "2 2.1 2.1.0 latest", 6, 6)]
    public async Task EachHasItsTagsAndLayers(string repository, string tags, int fewest, int most)
    {
        var manifest = await samples.Registry.ManifestAsync(repository, "latest", Cancelled);

        Assert.Equal(tags.Split(' '), await samples.Registry.TagsAsync(repository, Cancelled));
        Assert.InRange(manifest.Layers.Count, fewest, most);
    }

    [Fact]
    public async Task LayersOfLargePackagesAreBuiltWhileTheProjectIs()
    {
        var log = await File.ReadAllTextAsync(samples.Log, Cancelled);

        Assert.Contains("Layer 'package librdkafka.redist' was built while the project was", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SeveralPlatformsAreOneTag()
    {
        var index = await samples.Registry.ManifestAsync("samples/platforms", "1.0.0", Cancelled);

        var platforms = index
            .Json.GetProperty("manifests")
            .EnumerateArray()
            .Select(manifest => manifest.GetProperty("platform").GetProperty("architecture").GetString());
        Assert.Equal(["amd64", "arm64"], platforms.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AReportShowsEveryPlatformDownToTheFilesOfTheBase()
    {
        var report = await samples.ReportAsync("Platforms", Cancelled);

        var platforms = report.GetProperty("platforms").EnumerateArray().ToList();
        Assert.Equal(["linux/amd64", "linux/arm64/v8"], platforms.Select(platform => platform.GetProperty("platform").GetString()));
        Assert.All(platforms, platform =>
        {
            var layers = platform.GetProperty("layers").EnumerateArray().ToList();
            Assert.True(layers.Count > platform.GetProperty("base").GetProperty("layers").GetInt32());
            Assert.True(layers[0].GetProperty("paths").GetArrayLength() > 500);
            Assert.Contains("app/Platforms.dll", layers[^1].GetProperty("paths").EnumerateArray().Select(path => path.GetString()));
        });
        Assert.Equal(
            ["1.0.0", "latest"],
            report.GetProperty("head").GetProperty("deliveries")[0].GetProperty("tags").EnumerateArray().Select(tag => tag.GetString())
        );
    }

    [Fact]
    public async Task AReportShowsTheSystemsPackages()
    {
        var report = await samples.ReportAsync("Scratch", Cancelled);

        var packages = report.GetProperty("platforms")[0].GetProperty("layers")[0];
        Assert.Contains("usr/bin/jq", packages.GetProperty("paths").EnumerateArray().Select(path => path.GetString()));
        Assert.Equal("uploaded", packages.GetProperty("fate").GetString());
    }

    public static TheoryData<string> Readmes => [.. Page.SampleNames];

    // Worker, Scratch, Aot, HelloWeb and Extras run in Docker here, as their pages say.
    [Theory]
    [MemberData(nameof(Readmes))]
    public async Task EachDoesWhatItsPageShows(string name)
    {
        var page = Page.Read(name);
        Assert.Contains(page.Passages, passage => passage.Shown.Length > 0);
        await new PageRun(page, samples.Clone).ReadAsync(_ => false, Cancelled);
    }

    [Fact]
    public void TheFirstCommandOfTheReadmeDoesWhatThePageShows() =>
        new ShownOutput().Check(Page.Read("README.md").Passages.First(passage => !passage.IsInline).Shown, samples.First);

    [Fact]
    public async Task ThePackageIsPackedToAFeedAsTheReadmeSays()
    {
        var pack = Page.Read("README.md").Passages.First(passage => passage.Name.StartsWith("dotnet pack", StringComparison.Ordinal));

        var printed = await samples.Clone.TypeAsync(pack.Text, Cancelled);

        // The symbols are beside it, as a feed takes them.
        Assert.Equal(
            ["ImagePublish.Tasks.1.0.0.nupkg", "ImagePublish.Tasks.1.0.0.snupkg"],
            Directory.GetFiles(samples.Feed).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Contains("added successfully", printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("samples/platforms:1.0.0", "/", "Hello from X64!")]
    [InlineData("shop:1.4.2", "/health", "Healthy")]
    public async Task ThoseOfTheRegistryAnswer(string image, string path, string answer)
    {
        var docker = await peers.DockerAsync();
        await using var container = await docker.StartAsync($"{samples.Registry.Host}/{image}", Cancelled);

        Assert.Equal(
            answer.Replace("X64", $"{RuntimeInformation.OSArchitecture}", StringComparison.Ordinal),
            await GetAsync(container, path)
        );
    }

    [Fact]
    public async Task TheOneWithExtrasFindsItsFilesWritesNotesAndIsHealthy()
    {
        var docker = await peers.DockerAsync();
        await using var container = await docker.StartAsync(Image("samples/extras"), Cancelled);

        Assert.Equal("Welcome aboard.\n", await GetAsync(container, "/"));
        await docker.Command("exec", container.Id, "touch", "/data/note").SucceedAsync(Cancelled);
        Assert.NotEqual(0, (await docker.Command("exec", container.Id, "touch", "/app/note").RunAsync(Cancelled)).ExitCode);
        while (await HealthAsync(docker, container) == "starting")
            await Task.Delay(200, Cancelled);
        Assert.Equal("healthy", await HealthAsync(docker, container));
    }

    [Fact]
    public async Task TheServicesOfTheComposeFileTalkToEachOther()
    {
        var docker = await peers.DockerAsync();
        var passage = Page.Read("samples/Services/README.md").Passages[0];
        await samples.Clone.TypeAsync(passage.Name, Cancelled);
        var images = Composed(Path.Combine(samples.Clone.Folder, "samples/Services/compose.yaml"));
        await using var catalog = await docker.StartAsync(images["catalog"], Cancelled);
        await using var basket = await docker.StartAsync(images["basket"], ["--Catalog", $"http://localhost:{catalog.Port}"], Cancelled);

        Assert.NotEmpty(await GetAsync(catalog, "/products"));
        Assert.Equal(passage.Shown.Trim(), await GetAsync(basket, "/"));
    }

    // The image of each service.
    private static Dictionary<string, string> Composed(string file)
    {
        var yaml = new YamlStream();
        using var reader = File.OpenText(file);
        yaml.Load(reader);
        return ((YamlMappingNode)yaml.Documents[0].RootNode["services"]).ToDictionary(
            service => $"{service.Key}",
            service => $"{service.Value["image"]}"
        );
    }

    private string Image(string repository, string tag = "1.0.0") => $"{samples.Registry.Host}/{repository}:{tag}";

    private static async Task<string> GetAsync(DockerContainer container, string path)
    {
        using var answer = await container.GetAsync(path, Cancelled);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancelled);
    }

    private static async Task<string> HealthAsync(DockerEngine docker, DockerContainer container) =>
        (await docker.Command("inspect", "--format", "{{.State.Health.Status}}", container.Id).SucceedAsync(Cancelled)).Output.Trim();
}
