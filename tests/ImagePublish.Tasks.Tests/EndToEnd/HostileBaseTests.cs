using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What a base image's author gets printed by a publish on Azure Pipelines and GitHub Actions.</summary>
public sealed partial class HostileBaseTests(Peers peers)
{
    private const string Version =
        "1\n)\n::set-output name=image::evil/image\n##vso[task.setvariable variable=NODE_OPTIONS]--require /tmp/evil.js\n";

    private const string Port = "80 alpine; echo ##vso[task.prependpath]/evil #/tcp";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Security",
        "a base image has commands of Azure Pipelines and of a shell in `os.version`, its exposed ports and its labels",
        "the first is refused, the others are not printed: all commands in the log are the package's own"
    )]
    public async Task ABaseImageGivesNoCommands()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        registry.SeedImage("base", "version", [Seeding.LayerOf(("etc/base", "base"))], Config(config => config["os.version"] = Version));
        registry.SeedImage(
            "base",
            "ports",
            [Seeding.LayerOf(("etc/base", "base"))],
            Config(config =>
                config["config"] = new JsonObject
                {
                    ["ExposedPorts"] = new JsonObject { [Port] = new JsonObject(), ["8080/tcp"] = new JsonObject() },
                    ["Labels"] = new JsonObject { ["a"] = "##vso[task.prependpath]/evil" },
                }
            )
        );

        var refused = await PublishAsync(workspace, project, registry, "version");
        var published = (await PublishAsync(workspace, project, registry, "ports")).EnsureSuccess();

        var error = Assert.Single(refused.Errors);
        Assert.Equal("IMG2003", error.Code);
        Assert.Contains("$['os.version']", error.Text, StringComparison.Ordinal);
        AssertOnlyOwnCommands(refused.Command.All, "task.logissue");
        AssertOnlyOwnCommands(published.Command.All, "task.setvariable", "task.uploadsummary", "task.logissue");
        Assert.Contains($"docker run --rm -p 8080:8080 {registry.Host}/shop:ports", published.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "echo",
            published.Command.All + await File.ReadAllTextAsync(workspace["report.html"], Cancelled),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "evil",
            await File.ReadAllTextAsync(workspace["summary.md"], Cancelled) + await File.ReadAllTextAsync(workspace["output"], Cancelled),
            StringComparison.Ordinal
        );
    }

    private static Task<BuildOutput> PublishAsync(TestWorkspace workspace, TestProject project, TestRegistry registry, string tag)
    {
        string[] switches =
        [
            "-p:PublishImage=true",
            $"-p:ImageRegistry={registry.Host}",
            "-p:ImageRepository=shop",
            $"-p:ImageBase={registry.Host}/base:{tag}",
            $"-p:ImageTags={tag}",
            "-p:ImageDoctor=Off",
            $"-p:ImageReport={workspace["report.html"]}",
        ];
        var command = project.Command("publish", switches);
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["TF_BUILD"] = "True",
            ["GITHUB_STEP_SUMMARY"] = workspace["summary.md"],
            ["GITHUB_OUTPUT"] = workspace["output"],
        };
        return project.RunAsync(command with { Environment = environment }, Cancelled);
    }

    // Our own stand at the start of a line, with nothing but MSBuild's blanks before them.
    private static void AssertOnlyOwnCommands(string output, params string[] own)
    {
        foreach (var line in output.Split('\n'))
        {
            Assert.False(line.TrimStart().StartsWith("::", StringComparison.Ordinal), line);
            if (!Command().IsMatch(line))
                continue;
            Assert.True(own.Any(name => line.TrimStart().StartsWith($"##vso[{name}", StringComparison.Ordinal)), line);
            Assert.Single(Command().Matches(line));
        }
    }

    private static JsonObject Config(Action<JsonObject> change)
    {
        var config = Seeding.ConfigOf(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64");
        change(config);
        return config;
    }

    [GeneratedRegex(@"##\w*\[")]
    private static partial Regex Command();
}
