using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A clone in another folder makes the image again; what it does not make has its cause in the first line.</summary>
public sealed class ReproducedImageTests(Peers peers)
{
    private static readonly string[] Documents = ["ImagePublish.ReproduceImage.json"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Commands",
        "`ReproduceImage` in a clone in another folder, for two platforms; then for another commit, and with an uncommitted " + "file",
        "the same digest, and nothing is pushed or left behind; otherwise the command fails and names the commit or the file"
    )]
    public async Task AnotherCloneMakesTheSameImageOrSaysWhyNot()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await CommittedAsync(registry, workspace);
        var image = $"{registry.Host}/proof/shop:1.2.3";
        (await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ContinuousIntegrationBuild=true")).EnsureSuccess();
        var digest = (await registry.ManifestAsync("proof/shop", "1.2.3", Cancelled)).Digest;
        await GitAsync("clone", "-q", project.Folder, workspace["elsewhere/deep/clone"]);

        var equal = await ReproduceAsync(workspace, image);
        Assert.Equal(0, equal.ExitCode);
        Assert.Contains($"Reproduced {image}: the same digest", equal.All, StringComparison.Ordinal);
        Assert.Contains(digest, equal.All, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", equal.All, StringComparison.Ordinal);
        Assert.Equal(["Equal", "Equal"], Items(workspace).Select(item => item.GetProperty("state").GetString()));
        Assert.Equal(["1.2.3", "latest"], await registry.TagsAsync("proof/shop", Cancelled));
        Assert.Equal(Documents, LeftIn(workspace));

        // A file that is not committed.
        workspace.Write("elsewhere/deep/clone/Program.cs", App("changed"));
        var dirty = await ReproduceAsync(workspace, image);
        Assert.Equal(1, dirty.ExitCode);
        Assert.Contains("warning IMG4032: 1 files are not as commit", dirty.All, StringComparison.Ordinal);
        Assert.Contains("error IMG4030", FirstError(dirty), StringComparison.Ordinal);
        Assert.Contains("'Program.cs' here is not as its commit has it", FirstError(dirty), StringComparison.Ordinal);
        Assert.Contains("sources: Proven.dll: Program.cs: has another SHA-256", dirty.All, StringComparison.Ordinal);
        Assert.Equal(["Different", "Different"], Items(workspace).Select(item => item.GetProperty("state").GetString()));
        Assert.Equal("WorkingTree", Items(workspace)[0].GetProperty("cause").GetString());

        // Another commit.
        await CommitAsync(workspace["elsewhere/deep/clone"]);
        var other = await ReproduceAsync(workspace, image);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("it was built of commit ", FirstError(other), StringComparison.Ordinal);
        Assert.Contains("Check out its commit: git checkout ", FirstError(other), StringComparison.Ordinal);
        Assert.Equal(Documents, LeftIn(workspace));
        Assert.Equal(digest, (await registry.ManifestAsync("proof/shop", "1.2.3", Cancelled)).Digest);
    }

    [Fact]
    public async Task WhatCanNotBeComparedIsOneLineBeforeAnythingIsBuilt()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await CommittedAsync(registry, workspace);
        await project.RestoreAsync(Cancelled);
        (string Image, string Code, string Text)[] mistakes =
        [
            ($"{registry.Host}/proof/none:1.0", "IMG4006", "proof/none:1.0"),
            ($"{registry.Host}/dotnet/aspnet:10.0", "IMG4031", "can't be compared with a build"),
            ("proof/none:1.0", "IMG3105", "proof/none:1.0"),
        ];

        foreach (var (image, code, text) in mistakes)
        {
            var output = await project.MSBuildAsync(Cancelled, "-t:ReproduceImage", $"-p:ImageSource={image}");

            Assert.Equal(1, output.ExitCode);
            var error = Assert.Single(Errors(output));
            Assert.Contains($"error {code}", error, StringComparison.Ordinal);
            Assert.Contains(text, error, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(Path.Combine(project.Folder, "bin", "Release")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(project.Folder, "obj"), "ReproduceImage", SearchOption.AllDirectories));
        var library = workspace.Empty("Library").WithImagePublish().Property("TargetFramework", "net10.0");
        await library.RestoreAsync(Cancelled);
        var none = await library.MSBuildAsync(Cancelled, "-t:ReproduceImage", "-p:ImageSource=acme/shop:1");
        Assert.Contains("error IMG4031: Library is not an app", Assert.Single(Errors(none)), StringComparison.Ordinal);
    }

    private static string App(string text) =>
        $$"""
            var app = WebApplication.Create(args);
            app.MapGet("/", () => "{{text}}");
            app.Run();
            """;

    private static async Task<TestProject> CommittedAsync(DockerRegistry registry, TestWorkspace workspace)
    {
        var project = (await workspace.NewAsync("web", "Proven", Cancelled))
            .WithImagePublish()
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepository", "proof/shop")
            .Property("ImageRuntimeIdentifiers", "linux-x64;linux-arm64")
            .Property("Version", "1.2.3")
            .Property("ImageBase", $"{registry.Host}/dotnet/aspnet:10.0")
            .Content("Program.cs", App("first"))
            .Content(".gitignore", "bin/\nobj/\n");
        await GitAsync("-C", project.Folder, "init", "-q");
        await CommitAsync(project.Folder);
        return project;
    }

    private static async Task CommitAsync(string folder)
    {
        await GitAsync("-C", folder, "add", "-A");
        await GitAsync("-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "A change");
    }

    private static Task GitAsync(params string[] arguments) => new CommandLine("git", arguments).SucceedAsync(Cancelled);

    private static Task<CommandOutput> ReproduceAsync(TestWorkspace workspace, string image) =>
        BuildServers.RunAsync(
            workspace.DotNet(
                "msbuild",
                workspace["elsewhere/deep/clone/Proven.csproj"],
                "-nologo",
                "-tl:off",
                "-restore",
                "-t:ReproduceImage",
                $"-p:ImageSource={image}"
            ),
            Cancelled
        );

    private static IReadOnlyList<JsonElement> Items(TestWorkspace workspace)
    {
        var file = workspace["elsewhere/deep/clone/obj/Debug/net10.0/ImagePublish.ReproduceImage.json"];
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. json.RootElement.GetProperty("items").EnumerateArray().Select(item => item.Clone())];
    }

    private static IEnumerable<string?> LeftIn(TestWorkspace workspace) =>
        Directory
            .GetFileSystemEntries(workspace["elsewhere/deep/clone/obj/Debug/net10.0"], "*Reproduce*")
            .Concat(Directory.GetFileSystemEntries(workspace["elsewhere/deep/clone"], "*ImagePlan*", SearchOption.AllDirectories))
            .Select(Path.GetFileName);

    private static string FirstError(CommandOutput output) => Errors(output).First();

    private static IEnumerable<string> Errors(CommandOutput output) =>
        output.All.Split('\n').Where(line => line.Contains(": error ", StringComparison.Ordinal)).Select(line => line.Trim()).Distinct();
}
