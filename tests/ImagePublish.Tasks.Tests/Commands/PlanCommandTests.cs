using System.Globalization;
using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>A plan by targets: what two platforms and their index take, told before and after.</summary>
public sealed class PlanCommandTests(Peers peers)
{
    private const string Repository = "plans/shop";

    private static readonly string[] Numbers = ["Digest", "UploadedBytes", "MountedBytes", "ReusedBytes", "Tags", "Platform"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APublishOfTwoPlatformsReportsWhatItsPlanSaid()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("web", "Shop", Cancelled))
            .WithImagePublish()
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepository", Repository)
            .Property("ImageBase", $"{registry.Host}/dotnet/aspnet:10.0")
            .Property("ImageReport", "report.html")
            .Property("ImageRuntimeIdentifiers", "linux-x64;linux-arm64");

        var planned = await PlanAsync(project);
        var plannedPage = await ReportAsync(project);

        Assert.All(RequestsTo(registry), request => Assert.Contains(request.Method, (string[])["GET", "HEAD"]));
        var file = Path.Combine(project.Folder, "obj", "Release", "net10.0", "ImagePlan.json");
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file, Cancelled));
        Assert.Equal(
            ["1.0.0", "latest"],
            json.RootElement.GetProperty("images")[0].GetProperty("tags").EnumerateArray().Select(tag => tag.GetProperty("tag").GetString())
        );
        var published = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess().PublishedImages.Single();
        Assert.Equal(Numbers.Select(name => published[name]), Numbers.Select(name => planned.GetProperty(name).GetString()));
        Assert.NotEqual("0", published["UploadedBytes"]);
        await TellsEachPlatformsLayersAsync(
            file.Replace("ImagePlan", "ImagePublish", StringComparison.Ordinal),
            json.RootElement,
            published["UploadedBytes"]
        );
        Assert.Contains(RequestsTo(registry), request => request.Method == "PUT");
        await JoinAndReportAsync(project, plannedPage, await ReportAsync(project), registry);
    }

    // The report of a plan, of the publish, and of the same images joined elsewhere are one.
    private static async Task JoinAndReportAsync(TestProject project, JsonElement planned, JsonElement published, DockerRegistry registry)
    {
        var images = published
            .GetProperty("platforms")
            .EnumerateArray()
            .Select(platform => $"{registry.Host}/{Repository}@{platform.GetProperty("digest").GetString()}");
        var join = project.Command(
            "build",
            "-c",
            "Release",
            "-t:PublishImage",
            "-p:ImageRepository=plans/joined",
            $"-p:ImageIndexFrom={string.Join("%20", images)}"
        );
        await BuildServers.SucceedAsync(join, Cancelled);
        var joined = await ReportAsync(project);
        Assert.Equal(
            ["1.0.0", "latest"],
            planned.GetProperty("head").GetProperty("planned").EnumerateArray().Select(tag => tag.GetProperty("tag").GetString())
        );
        Assert.Equal(Files(published), Files(planned));
        Assert.Equal(Files(published), Files(joined));
        Assert.Equal(
            "mounted",
            joined.GetProperty("platforms")[0].GetProperty("layers").EnumerateArray().Last().GetProperty("fate").GetString()
        );

        static IEnumerable<string> Files(JsonElement report) =>
            report
                .GetProperty("platforms")
                .EnumerateArray()
                .SelectMany(platform =>
                    platform
                        .GetProperty("layers")
                        .EnumerateArray()
                        .Select(layer =>
                            platform.GetProperty("platform").GetString()
                            + layer.GetProperty("digest").GetString()
                            + layer.GetProperty("paths").GetRawText()
                        )
                );
    }

    private static async Task<JsonElement> ReportAsync(TestProject project)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(project.Folder, "report.html"), Cancelled);
        using var json = JsonDocument.Parse(PublishedSamples.DataOf(page));
        return json.RootElement.Clone();
    }

    private static async Task TellsEachPlatformsLayersAsync(string result, JsonElement planned, string uploaded)
    {
        using var published = JsonDocument.Parse(await File.ReadAllTextAsync(result, Cancelled));
        var manifests = published.RootElement.GetProperty("manifests").EnumerateArray().ToList();
        Assert.Equal(planned.GetProperty("manifests").EnumerateArray().Select(Layers), manifests.Select(Layers));
        Assert.All(manifests, manifest => Assert.Contains("\"app\"", Layers(manifest), StringComparison.Ordinal));
        var sent = manifests
            .SelectMany(manifest => manifest.GetProperty("images")[0].GetProperty("blobs").EnumerateArray())
            .Sum(blob => blob.GetProperty("uploadedBytes").GetInt64());
        Assert.Equal(uploaded, sent.ToString(CultureInfo.InvariantCulture));

        static string Layers(JsonElement manifest) => manifest.GetProperty("layers").GetRawText();
    }

    // Other tests push to the same registry meanwhile.
    private static IEnumerable<RegistryRequest> RequestsTo(DockerRegistry registry) =>
        registry.Requests.Where(request => request.Path.StartsWith($"/v2/{Repository}/", StringComparison.Ordinal));

    // As an option of the publish that it plans.
    private static async Task<JsonElement> PlanAsync(TestProject project)
    {
        var plan = project.Command("publish", "-p:PublishImage=true", "-p:ImageDryRun=true", "-getItem:PlannedImage,PublishedImage");
        var output = await BuildServers.SucceedAsync(plan, Cancelled);
        using var json = JsonDocument.Parse(output.Output[output.Output.IndexOf('{', StringComparison.Ordinal)..]);
        var items = json.RootElement.GetProperty("Items");
        Assert.Empty(items.GetProperty("PublishedImage").EnumerateArray());
        return items.GetProperty("PlannedImage").EnumerateArray().Single().Clone();
    }
}
