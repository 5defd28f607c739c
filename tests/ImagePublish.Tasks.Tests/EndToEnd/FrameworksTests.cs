using System.Net;
using System.Text;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Apps of other languages, C libraries and frameworks run in Docker.</summary>
public sealed class FrameworksTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AVisualBasicAppRunsOnMuslWithItsOwnRuntime()
    {
        const string Repository = "frameworks/musl";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await workspace
            .DotNet("new", "console", "--language", "VB", "--name", "Basic", "--output", "Basic", "--no-restore")
            .SucceedAsync(Cancelled);
        var project = new TestProject(workspace, await peers.PackageAsync(), workspace["Basic/Basic.vbproj"])
            .WithImagePublish()
            .Property("ImageBase", await MuslBase.PushToAsync(registry, "frameworks/musl-base:1", Cancelled))
            .Property("RuntimeIdentifier", "linux-musl-x64")
            .Property("SelfContained", "true")
            .Property("InvariantGlobalization", "true");

        var build = (await project.PublishAsync(Cancelled, Switches.Destination(registry, Repository))).EnsureSuccess();
        var run = await (await peers.DockerAsync()).RunAsync(Cancelled, build.Properties["ImageReference"]);

        Assert.Equal("Hello World!\n", run.Output);
    }

    [Fact]
    public async Task ABlazorAppServesItsPagesAndStaticAssetsWithTheTimesOfTheirContents()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("blazor", "Blaz", Cancelled)).WithImagePublish();
        var build = (await project.PublishAsync(Cancelled, Switches.For(registry, "frameworks/blazor", "aspnet"))).EnsureSuccess();
        await using var container = await (await peers.DockerAsync()).StartAsync(build.Properties["ImageReference"], Cancelled);

        using var page = await container.GetAsync("/", Cancelled);
        using var style = await container.GetAsync("/app.css", Cancelled);
        using var script = await container.GetAsync("/_framework/blazor.web.js", Cancelled);

        Assert.Contains("Hello, world!", await page.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, script.StatusCode);
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(project.Folder, "wwwroot", "app.css"), Cancelled),
            await style.Content.ReadAsStringAsync(Cancelled)
        );
        Assert.NotNull(style.Headers.ETag);
        Assert.InRange(
            style.Content.Headers.LastModified!.Value,
            new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2018, 1, 1, 0, 0, 0, TimeSpan.Zero)
        );
    }

    [Fact]
    public async Task AGrpcServiceAnswers()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("grpc", "Greeting", Cancelled)).WithImagePublish();
        var build = (await project.PublishAsync(Cancelled, Switches.For(registry, "frameworks/grpc", "aspnet"))).EnsureSuccess();
        await using var container = await (await peers.DockerAsync()).StartAsync(build.Properties["ImageReference"], Cancelled);
        while (!(await container.LogsAsync(Cancelled)).Contains("Application started", StringComparison.Ordinal))
            await Task.Delay(100, Cancelled);

        // One message: not compressed, its length, its field 1.
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://localhost:{container.Port}/greet.Greeter/SayHello"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 5, 10, 3, .. "Ann"u8]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("TE", "trailers");
        using var http = new HttpClient();
        using var answer = await http.SendAsync(request, Cancelled);

        Assert.Contains(
            "Hello Ann",
            Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(Cancelled)),
            StringComparison.Ordinal
        );
        Assert.Equal("0", Assert.Single(answer.TrailingHeaders.GetValues("grpc-status")));
    }

    [Fact]
    public async Task AnAzureFunctionsWorkerIsLeftToTheHostOfItsBase()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Functions")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("AzureFunctionsVersion", "v4")
            .Content("Program.cs", "return;");
        var build = (
            await project.PublishAsync(
                Cancelled,
                [
                    .. Switches.Destination(registry, "frameworks/functions"),
                    $"-p:ImageBase={await SmallBase.PushToAsync(registry, "frameworks/base:1", Cancelled)}",
                ]
            )
        ).EnsureSuccess();
        var prepared = (await project.MSBuildAsync(Cancelled, "-t:_PrepareImage", "-getProperty:_ImageBase")).EnsureSuccess();

        var config = (await registry.ConfigAsync("frameworks/functions", build.Digest, Cancelled)).GetProperty("config");
        var variables = config.GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()).ToList();
        Assert.Equal("mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0", prepared.Output.Trim());
        Assert.Equal("/home/site/wwwroot", config.GetProperty("WorkingDir").GetString());
        Assert.Equal("""["/usr/bin/base-entry","--of-the-base"]""", config.GetProperty("Entrypoint").GetRawText());
        Assert.Equal("""["base-command"]""", config.GetProperty("Cmd").GetRawText());
        Assert.Contains("AzureWebJobsScriptRoot=/home/site/wwwroot", variables);
        Assert.Contains("AzureFunctionsJobHost__Logging__Console__IsEnabled=true", variables);
    }
}
