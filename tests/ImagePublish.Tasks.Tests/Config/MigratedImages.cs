using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>
/// Dockerfiles as they are, built by Docker; and what <c>CheckImageMigration</c> says of them, pasted into a project that is published.
/// </summary>
/// <remarks>Microsoft's images are small ones with the same config; the SDK's has a <c>dotnet</c> that copies what was published.</remarks>
public sealed partial class MigratedImages(Peers peers) : IAsyncLifetime
{
    private const string Microsoft = "mcr.microsoft.com";

    private static readonly string[] Bases = ["dotnet/aspnet:10.0", "dotnet/aspnet:10.0-noble", "dotnet/aspnet:10.0-alpine"];

    private readonly Dictionary<string, (ImageFacts Docker, ImageFacts Ours)> images = [];

    public static IReadOnlyList<string> Shapes { get; } =
    ["visual-studio", "entry-script", "healthcheck-of-its-own", "published-outside", "environment", "shell-form", "several-projects"];

    public ImageFacts Docker(string shape) => images[shape].Docker;

    public ImageFacts Ours(string shape) => images[shape].Ours;

    public async ValueTask InitializeAsync()
    {
        await using var registry = await DockerRegistry.StartAsync(CancellationToken.None);
        foreach (var name in Bases)
            await SmallBase.PushToAsync(registry, name, MicrosoftConfig, CancellationToken.None);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Shop", "Microsoft.NET.Sdk.Web")
            .WithImagePublish()
            .Property("ImageBaseRegistry", registry.Host)
            .Property("ImageGenerateLabels", "false")
            .Property("ImageDoctor", "Off")
            .Property("ImageName", $"{registry.Host}/migrated/$(Kind):1")
            .Content("Program.cs", "Microsoft.AspNetCore.Builder.WebApplication.Create(args).Run();");
        (await project.PublishAsync(CancellationToken.None)).EnsureSuccess();
        foreach (var shape in Shapes)
            await MigrateAsync(workspace, project, shape);
        var all = new TestProject(workspace, await peers.PackageAsync(), workspace.Write("All.proj", "<Project />")).Element(
            $"""<Target Name="All">{string.Concat(Shapes.Select(shape => Build(project, shape)))}</Target>"""
        );
        (await all.TargetAsync("All", CancellationToken.None, "--no-restore")).EnsureSuccess();
        await PrepareDockerAsync(workspace, project, registry);
        foreach (var shape in Shapes)
            images.Add(
                shape,
                (
                    await DockerBuildAsync(workspace, shape),
                    await ImageFacts.ReadAsync(registry, $"migrated/{shape}", CancellationToken.None)
                )
            );
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static JsonObject MicrosoftConfig =>
        new()
        {
            ["Env"] = new JsonArray(
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "APP_UID=1654",
                "ASPNETCORE_HTTP_PORTS=8080",
                "DOTNET_RUNNING_IN_CONTAINER=true"
            ),
            ["Cmd"] = new JsonArray("/bin/sh"),
        };

    // Docker's client has the build context of each Dockerfile; what the context of a real app would have is put there.
    private static async Task MigrateAsync(TestWorkspace workspace, TestProject project, string shape)
    {
        SourceTree.Copy(Path.Combine("tests", "ImagePublish.Tests", "Migration", "Dockerfiles", shape), workspace[shape]);
        // Without its plug-in, Docker's client builds in the classic way, which can't do this.
        var text = await File.ReadAllTextAsync(workspace[$"{shape}/Dockerfile"]);
        workspace.Write($"{shape}/Dockerfile", text.Replace("--chmod=640 ", "", StringComparison.Ordinal));
        foreach (var file in new[] { "Shop", "src/Shop", "src/Shop.Domain", "tests/Shop.Tests" })
            workspace.Write($"{shape}/{file}/{Path.GetFileName(file)}.csproj", "<Project />");
        workspace.Write($"{shape}/Shop.sln", "");
        workspace.Write($"{shape}/Directory.Build.props", "<Project />");
        SourceTree.Copy(Path.Combine(project.Folder, "bin/Release/net10.0/publish"), workspace[$"{shape}/bin/Release/net10.0/publish"]);
        var check = project.Command("msbuild", "-t:CheckImageMigration", $"-p:ImageDockerfile=../{shape}/Dockerfile", "-v:m");
        var output = (await check.SucceedAsync(CancellationToken.None)).Output;
        foreach (var group in Group().Matches(output.ReplaceLineEndings("\n")).Select(match => match.Value))
            project.Element(group.Insert(group.IndexOf('>', StringComparison.Ordinal), $" Condition=\"'$(Kind)' == '{shape}'\""));
    }

    private static string Build(TestProject project, string shape) =>
        $"""<MSBuild Projects="{project.File}" Targets="PublishImage" Properties="NoBuild=true;Configuration=Release;Kind={shape}" />""";

    private async Task PrepareDockerAsync(TestWorkspace workspace, TestProject project, DockerRegistry registry)
    {
        var docker = await peers.DockerAsync();
        foreach (var name in Bases)
        {
            await docker.PullAsync($"{registry.Host}/{name}", CancellationToken.None);
            await docker.Command("tag", $"{registry.Host}/{name}", $"{Microsoft}/{name}").SucceedAsync(CancellationToken.None);
        }

        SourceTree.Copy(Path.Combine(project.Folder, "bin/Release/net10.0/publish"), workspace["sdk/published"]);
        workspace.Write(
            "sdk/dotnet",
            """
            #!/bin/sh
            while [ $# -gt 0 ]; do
              case "$1" in -o|--output) mkdir -p "$2"; busybox cp -r /published/. "$2" ;; esac
              shift
            done
            """
        );
        File.SetUnixFileMode(workspace["sdk/dotnet"], (UnixFileMode)0b111_101_101);
        workspace.Write("sdk/Dockerfile", $"FROM {Microsoft}/{Bases[0]}\nCOPY published /published\nCOPY dotnet /usr/bin/dotnet\n");
        await BuildAsync($"{Microsoft}/dotnet/sdk:10.0", workspace["sdk"]);
    }

    private async Task<ImageFacts> DockerBuildAsync(TestWorkspace workspace, string shape)
    {
        await BuildAsync($"migrated-{shape}", workspace[shape]);
        var inspected = await (await peers.DockerAsync()).InspectAsync($"migrated-{shape}", CancellationToken.None);
        using var config = JsonDocument.Parse($$"""{ "config": {{inspected.GetProperty("Config").GetRawText()}} }""");
        return new ImageFacts(config.RootElement.Clone(), "", []);
    }

    private async Task BuildAsync(string tag, string context)
    {
        var build = (await peers.DockerAsync()).Command("build", "--network=host", "--tag", tag, context);
        await (build with { Environment = new Dictionary<string, string?>(build.Environment) { ["DOCKER_BUILDKIT"] = "0" } }).SucceedAsync(
            CancellationToken.None
        );
    }

    [GeneratedRegex(@"<(PropertyGroup|ItemGroup)>.*?</\1>", RegexOptions.Singleline)]
    private static partial Regex Group();
}
