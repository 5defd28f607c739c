using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>The commands one after the other, as docs/tour.md shows them, without Docker until an image runs.</summary>
public sealed class CommandTourTests(Peers peers)
{
    private const string Hub = "sixeyed/tweet-app";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheWholeDayIsTargets()
    {
        var registry = await peers.RegistryAsync();
        await using var second = await DockerRegistry.StartAsync(
            new DockerRegistryOptions { UserName = "me", Password = "s3cret-of-the-day" },
            Cancelled
        );
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("web", "TweetApp", Cancelled))
            .WithImagePublish()
            .Property("ImageRepository", Hub)
            .Property("ImageBase", $"{registry.Host}/dotnet/aspnet:10.0")
            .Content("Program.cs", Program("v1"));

        // v1 stays on this machine: published, tagged, listed.
        await PublishAndLoadAsync(project, "-p:PublishImage=true", "-p:ImageTags=v1", $"-p:ImageArchive={workspace["v1.tar"]}");
        await RunAsync(project, "TagImage", $"-p:ImageSource={Hub}:v1", "-p:ImageTags=stable");
        var listed = await RunAsync(project, "ListImages", "-p:ImageFilter=sixeyed/*");
        Assert.Equal([$"{Hub}:stable", $"{Hub}:v1"], Identities(listed));
        Assert.Equal(Identities(await RunAsync(project, "InspectImage", $"-p:ImageSource={workspace["v1.tar"]}")), [workspace["v1.tar"]]);

        // Pushed with the same digest, and listed on the registry.
        var pushed = await RunAsync(project, "CopyImage", $"-p:ImageSource={Hub}:v1", $"-p:ImageRegistry={registry.Host}");
        Assert.Equal(listed[0].GetProperty("Digest").GetString(), pushed[0].GetProperty("Digest").GetString());
        Assert.Equal(["v1"], Identities(await RunAsync(project, "ListImageTags", $"-p:ImageRegistry={registry.Host}")));

        // v2: only the app's own layer and the config travel, as the plan says before.
        project.Content("Program.cs", Program("v2"));
        string[] settings = ["-p:ImageTags=v2", $"-p:ImageRegistry={registry.Host}"];
        var plan = (await RunAsync(project, "PlanImage", ["-p:Configuration=Release", .. settings])).Single();
        Assert.Equal(["v1"], Identities(await RunAsync(project, "ListImageTags", $"-p:ImageRegistry={registry.Host}")));
        var v2 = (await project.PublishAsync(Cancelled, ["-p:PublishImage=true", .. settings])).EnsureSuccess();
        Assert.Equal(2, plan.GetProperty("Uploads").GetString()!.Split(';').Length);
        Assert.All((string[])["Digest", "UploadedBytes", "MountedBytes", "ReusedBytes"], name =>
            Assert.Equal(v2.PublishedImages[0][name], plan.GetProperty(name).GetString())
        );
        Assert.InRange(long.Parse(v2.PublishedImages[0]["UploadedBytes"], System.Globalization.CultureInfo.InvariantCulture), 1, 100_000);
        Assert.Equal(["v2", "v1"], Identities(await RunAsync(project, "ListImageTags", $"-p:ImageRegistry={registry.Host}")));

        // Promoted to a registry that wants a password, which Docker knows afterwards.
        await SignInAsync(project, second.Host, "s3cret-of-the-day");
        var promoted = await RunAsync(project, "CopyImage", $"-p:ImageSource={registry.Host}/{Hub}:v2", $"-p:ImageRegistry={second.Host}");
        Assert.Equal(v2.Digest, promoted[0].GetProperty("Digest").GetString());
        await RunInDockerAsync(registry, v2.Digest);

        // Tidied up: only what was told, and never what another tag needs.
        await RunAsync(project, "TagImage", $"-p:ImageSource={registry.Host}/{Hub}:v2", "-p:ImageTags=latest");
        var gone = await RunAsync(
            project,
            "PruneImages",
            $"-p:ImageSource={registry.Host}/{Hub}",
            "-p:ImageFilter=v*",
            "-p:ImageMaxAge=0d"
        );
        Assert.Equal([$"{registry.Host}/{Hub}:v1"], Identities(gone));
        Assert.Equal(["v2", "latest"], Identities(await RunAsync(project, "ListImageTags", $"-p:ImageRegistry={registry.Host}")));
        await RunAsync(project, "PruneImages");
        Assert.Equal(2, (await RunAsync(project, "ListImages")).Count);
        Assert.Equal([$"{Hub}:stable"], Identities(await RunAsync(project, "RemoveImage", $"-p:ImageSource={Hub}:stable")).Take(1));

        // On the train: the same image without a network.
        await RunAsync(project, "PullImage", $"-p:ImageSource={registry.Host}/dotnet/aspnet:10.0");
        var offline = (
            await project.PublishAsync(Cancelled, ["-p:PublishImage=true", "-p:ImageOffline=true", .. settings])
        ).EnsureSuccess();
        Assert.Equal(v2.Digest, offline.Digest);
        Assert.Equal(
            [$"{registry.Host}/dotnet/aspnet:10.0", $"{Hub}:v1", $"{Hub}:v2"],
            Identities(await RunAsync(project, "ListImages")).Order(StringComparer.Ordinal)
        );
    }

    private async Task PublishAndLoadAsync(TestProject project, params string[] arguments)
    {
        var docker = await peers.DockerAsync();
        var command = project.Command("publish", [.. arguments, "-p:ImageLoad=docker"]);
        var output = await BuildServers.SucceedAsync(
            command with
            {
                Environment = new Dictionary<string, string?>(command.Environment) { ["DOCKER_HOST"] = docker.Host },
            },
            Cancelled
        );
        Assert.Contains($"Loaded into docker: {Hub}:v1", output.Output, StringComparison.Ordinal);
        await using var container = await docker.StartAsync($"{Hub}:v1", Cancelled);
        Assert.Equal("v1", await (await container.GetAsync("/", Cancelled)).Content.ReadAsStringAsync(Cancelled));
    }

    private static string Program(string version) =>
        $$"""
            var app = WebApplication.Create(args);
            app.MapGet("/", () => "{{version}}");
            app.Run();
            """;

    private static async Task SignInAsync(TestProject project, string host, string password)
    {
        string[] arguments = ["-t:LoginImageRegistry", $"-p:ImageRegistry={host}", "-p:ImageRegistryUsername=me"];
        var wrong = await (project.Command("msbuild", arguments) with { Input = "wrong-password\n" }).RunAsync(Cancelled);
        Assert.Contains("error IMG5001", wrong.All, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-password", wrong.All, StringComparison.Ordinal);
        var right = await (project.Command("msbuild", arguments) with { Input = password + "\n" }).SucceedAsync(Cancelled);
        Assert.DoesNotContain(password, right.All, StringComparison.Ordinal);
    }

    private async Task RunInDockerAsync(DockerRegistry registry, string digest)
    {
        var docker = await peers.DockerAsync();
        var reference = $"{registry.Host}/{Hub}@{digest}";
        await docker.PullAsync(reference, Cancelled);
        await using var container = await docker.StartAsync(reference, Cancelled);
        Assert.Equal("v2", await (await container.GetAsync("/", Cancelled)).Content.ReadAsStringAsync(Cancelled));
    }

    /// <summary>Runs a target and returns its items as a script reads them.</summary>
    private static async Task<List<JsonElement>> RunAsync(TestProject project, string target, params string[] arguments)
    {
        var output = (await project.MSBuildAsync(Cancelled, [$"-t:{target}", $"-getTargetResult:{target}", .. arguments])).EnsureSuccess();
        using var json = JsonDocument.Parse(output.Output[output.Output.IndexOf('{', StringComparison.Ordinal)..]);
        return
        [
            .. json
                .RootElement.GetProperty("TargetResults")
                .GetProperty(target)
                .GetProperty("Items")
                .EnumerateArray()
                .Select(item => item.Clone()),
        ];
    }

    private static IEnumerable<string?> Identities(IEnumerable<JsonElement> items) =>
        items.Select(item => item.GetProperty("Identity").GetString());
}
