using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Files and layers of other images, bases that are read from a mirror, and bases that are named as bots read them.</summary>
public sealed class OtherImagesTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DockerRunsAnImageWithFilesAndLayersOfOthersOnEachPlatform()
    {
        const string Repository = "other/composed";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var from = await SmallBase.PushToAsync(registry, "other/base:1", Cancelled);
        var tools = await ToolsImage.PushToAsync(registry, "other/tools:1", Cancelled);
        var agent = await ToolsImage.PushToAsync(registry, "other/agent:1", Cancelled);
        var project = workspace
            .Empty("Composed")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", from)
            .Content("Program.cs", "return 1;")
            .Item("ImageFile", "/usr/bin/tool", ("From", tools), ("TargetPath", "/usr/local/bin/"))
            .Item("ImageFile", "agent", ("From", tools), ("Path", "/opt/current"), ("TargetPath", "agent"))
            .Item("ImageLayerFrom", agent);
        string[] switches =
        [
            .. Switches.Destination(registry, Repository),
            "-p:ImageTags=1.0",
            "-p:ImageRuntimeIdentifiers=linux-x64%3Blinux-arm64",
        ];

        var build = (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();

        var (first, second) = (await LayersAsync(registry, "other/agent", "1"), await LayersAsync(registry, Repository, "1.0"));
        Assert.Equal(first, second.Skip(1).Take(2));
        Assert.Equal(
            ["base mounted", $"{agent} mounted", $"{agent} mounted", $"from {registry.Host}/other/tools uploaded", "app uploaded"],
            await MovesAsync(project, "linux-x64")
        );
        Assert.Equal(
            """
            /usr/local/bin/tool regular file 4755 0:0
            /app/agent directory 750 7:8
            /app/agent/config regular file 640 7:8
            /app/agent/link symbolic link 777 7:8
            /app/agent/one regular file 644 0:0
            /app/agent/private directory 700 1654:50
            /app/agent/two regular file 644 0:0
            /opt/agent/config regular file 640 7:8
            new
            2 2
            config link one private two
            """,
            await RunAsync(build.Properties["ImageReference"])
        );
        await ChangesDownloadNothingAsync(project, switches, registry, Repository);
    }

    [Fact]
    public async Task AMirrorForAWholeCompanyGivesTheSameImageAsTheOriginal()
    {
        const string Original = "mcr.microsoft.com/dotnet/runtime:10.0";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var repository = $"docker://{registry.Host}/other/mcr/dotnet/runtime:10.0";
        await Skopeo.CopyAsync($"docker://{registry.Host}/dotnet/runtime:10.0", repository, Cancelled, "--all", "--preserve-digests");
        var project = (await workspace.NewAsync("console", "Mirrored", Cancelled))
            .WithImagePublish()
            .Property("ImageCreated", "2026-01-01T00:00:00Z");
        var mirror = $"{registry.Host}/other/mcr";

        var byVariable = await RunAsync(project, mirror, "publish", Switches.Destination(registry, "other/mirrored"));
        var pulled = await RunAsync(project, mirror, "build", "-t:PullImage", $"-p:ImageSource={Original}");
        var byProperty = await RunAsync(
            project,
            "nowhere.invalid",
            "publish",
            [.. Switches.Destination(registry, "other/mirrored-again"), $"-p:ImageBaseRegistry={mirror}"]
        );
        var explicitly = await RunAsync(
            project,
            mirror,
            "publish",
            [.. Switches.Destination(registry, "other/mirrored"), $"-p:ContainerBaseImage={Original}"]
        );
        var offline = await RunAsync(project, "nowhere.invalid", "publish", "-p:PublishImage=true", "-p:ImageOffline=true");
        var wrong = await project.RunAsync(
            With(project.Command("publish", Switches.Destination(registry, "other/mirrored")), $"https://{mirror}"),
            Cancelled
        );

        var config = await registry.ConfigAsync("other/mirrored", byVariable.Digest, Cancelled);
        var labels = config.GetProperty("config").GetProperty("Labels");
        Assert.Equal(Original, labels.GetProperty("org.opencontainers.image.base.name").GetString());
        Assert.Equal(
            [byVariable.Digest, byVariable.Digest, byVariable.Digest],
            new[] { byProperty.Digest, explicitly.Digest, offline.Digest }
        );
        Assert.True(pulled.Succeeded);
        var error = Assert.Single(wrong.Errors);
        Assert.Equal("IMG1007", error.Code);
        Assert.Contains("IMAGE_BASE_REGISTRY has the value 'https://", error.Text, StringComparison.Ordinal);
    }

    // Renovate reads the first, Dependabot the Dockerfile of the second.
    private const string FromDockerfile =
        "$([System.IO.File]::ReadAllText('$(MSBuildProjectDirectory)/base/Dockerfile').Replace('FROM ', '').Trim())";

    [Theory]
    [InlineData("other/renovate", "-p:PublishImage=true", "{0}")]
    [InlineData("other/renovate-container", "-t:PublishContainer", "{0}")]
    [InlineData("other/dependabot", "-p:PublishImage=true", FromDockerfile)]
    public async Task ABaseThatIsNamedAsBotsReadItIsPinned(string name, string how, string baseImage)
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var tag = $"docker://{registry.Host}/{name}-base:10.0";
        await Skopeo.CopyAsync($"docker://{registry.Host}/dotnet/runtime:10.0", tag, Cancelled, "--all", "--preserve-digests");
        var digest = (await registry.ManifestAsync($"{name}-base", "10.0", Cancelled)).Digest;
        var reference = $"{registry.Host}/{name}-base:10.0@{digest}";
        var project = (await workspace.NewAsync("console", "Bots", Cancelled))
            .WithImagePublish()
            .Property("ContainerBaseImage", baseImage.Replace("{0}", reference, StringComparison.Ordinal))
            .Content("base/Dockerfile", $"FROM {reference}\n");
        string[] switches = [how, $"-p:ContainerRegistry={registry.Host}", $"-p:ContainerRepository={name}", "-p:ContainerImageTag=1"];

        var first = (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();
        await Skopeo.CopyAsync($"docker://{registry.Host}/dotnet/aspnet:10.0", tag, Cancelled, "--all", "--preserve-digests");
        var second = (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();

        Assert.Equal(first.Digest, second.Digest);
        var labels = (await registry.ConfigAsync(name, first.Digest, Cancelled)).GetProperty("config").GetProperty("Labels");
        Assert.Equal(digest, labels.GetProperty("org.opencontainers.image.base.digest").GetString());
        Assert.Equal(reference, labels.GetProperty("org.opencontainers.image.base.name").GetString());
    }

    private static async Task ChangesDownloadNothingAsync(
        TestProject project,
        string[] switches,
        DockerRegistry registry,
        string repository
    )
    {
        project.Content("Program.cs", "return 2;");
        var before = registry.Requests.Count;
        (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();

        var requests = registry.Requests.Skip(before).ToList();
        Assert.DoesNotContain(requests, request =>
            request.Method == "GET" && request.Path.Contains("/v2/other/tools/blobs/", StringComparison.Ordinal)
        );
        Assert.Single(requests, request =>
            request.Method == "PUT" && request.Path.EndsWith($"/{repository}/manifests/1.0", StringComparison.Ordinal)
        );
    }

    private async Task<string> RunAsync(string image)
    {
        var docker = await peers.DockerAsync();
        const string Script = """
            stat -c '%n %F %a %u:%g' /usr/local/bin/tool /app/agent /app/agent/* /opt/agent/config
            cat /app/agent/config; echo
            echo $(stat -c %h /app/agent/one /app/agent/two)
            echo $(ls /opt/agent)
            """;
        var run = await docker.RunAsync(Cancelled, "--user=0", "--entrypoint=/bin/sh", image, "-c", Script);
        return run.EnsureSuccess().Output.Trim();
    }

    private static Task<BuildOutput> RunAsync(TestProject project, string mirror, string verb, params string[] arguments) =>
        RunAsync(project, With(project.Command(verb, arguments), mirror));

    private static async Task<BuildOutput> RunAsync(TestProject project, CommandLine command) =>
        (await project.RunAsync(command, Cancelled)).EnsureSuccess();

    private static CommandLine With(CommandLine command, string mirror) =>
        command with
        {
            Environment = new Dictionary<string, string?>(command.Environment) { ["IMAGE_BASE_REGISTRY"] = mirror },
        };

    private static async Task<IEnumerable<string>> LayersAsync(DockerRegistry registry, string repository, string tag)
    {
        var index = await registry.ManifestAsync(repository, tag, Cancelled);
        var amd64 = index.Json.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        return (await registry.ManifestAsync(repository, amd64, Cancelled)).Layers.Select(layer =>
            layer.GetProperty("digest").GetString()!
        );
    }

    private static async Task<IEnumerable<string>> MovesAsync(TestProject project, string runtimeIdentifier)
    {
        var file = Path.Combine(project.Folder, "obj", "Release", "net10.0", $"ImagePublish.{runtimeIdentifier}.json");
        using var result = JsonDocument.Parse(await File.ReadAllBytesAsync(file, Cancelled));
        return
        [
            .. result
                .RootElement.GetProperty("images")[0]
                .GetProperty("blobs")
                .EnumerateArray()
                .Select(blob => $"{blob.GetProperty("name").GetString()} {blob.GetProperty("action").GetString()}")
                .SkipLast(1),
        ];
    }
}
