using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>One build of several projects has one answer, in whatever processes they are built.</summary>
public sealed class SummaryTests(Peers peers)
{
    private const string Area = "Projects";
    private const int Columns = 120;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "a solution in several MSBuild processes",
        "one summary at the end, one JSON file, one table on the CI system's page"
    )]
    public async Task ASolutionIsSummedUpOnce()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        Apps(workspace, registry, "Aaa", "Bbb", "Ccc");
        var solution = workspace.Solution("S.slnx", "Aaa", "Bbb", "Ccc");
        workspace.Write("Bbb/Program.cs", "System.Console.WriteLine(1);");

        var first = await RunAsync(workspace, workspace.PublishImages(solution, "-m:3"));
        workspace.Write("Bbb/Program.cs", "System.Console.WriteLine(2);");
        workspace.Write("github", "");
        workspace.Write("page.md", "");
        var second = await RunAsync(workspace, workspace.PublishImages(solution, "-m:3", "-p:ImageSummaryFile=out/images.json"));

        Assert.Matches(@"\nImages: 3 published, 0 unchanged, \d+\.\d s, [\d.]+ kB uploaded.*\n  published: Aaa, Bbb, Ccc\n$", first.Output);
        Assert.Matches(@"\nImages: 1 published, 2 unchanged, \d+\.\d s, [\d.]+ kB uploaded.*\n  published: Bbb\n$", second.Output);
        var reference = $"{registry.Host}/bbb@{registry.Content.Tags("bbb")["1.0.0"]}";
        var page = await File.ReadAllTextAsync(workspace["page.md"], Cancelled);
        Assert.StartsWith(
            "### Images: 1 published, 2 unchanged\n\n| Project | This publish | Image |\n|---|---|---|\n| `Bbb` | ",
            page,
            StringComparison.Ordinal
        );
        Assert.Equal(3, page.Split("| `").Length - 1 - page.Split(" | `").Length + 1);
        Assert.Contains(
            $"\npublished=[{{\"project\":\"Bbb\",\"image\":\"{reference}\"}}]\n",
            await File.ReadAllTextAsync(workspace["github"], Cancelled),
            StringComparison.Ordinal
        );
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(workspace["out/images.json"], Cancelled));
        Assert.Equal(2, json.RootElement.GetProperty("unchanged").GetInt32());
        Assert.Equal(
            ["Aaa unchanged", "Bbb published", "Ccc unchanged"],
            json.RootElement.GetProperty("projects")
                .EnumerateArray()
                .Select(one => $"{one.GetProperty("project")} {one.GetProperty("outcome")}")
        );
        Assert.Equal(reference, json.RootElement.GetProperty("projects")[1].GetProperty("images")[0].GetProperty("reference").GetString());
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "apps of a solution that don't compile, or can't be published",
        "the others are published, and the summary names all failures"
    )]
    public async Task ThoseThatFailAreNamedTogether()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var apps = Apps(workspace, registry, "Aaa", "Bbb", "Ccc", "Ddd");
        workspace.Write("Bbb/Program.cs", "this does not compile");
        apps[2].Property("ImageCompression", "lzma").Property("ImageRuntimeIdentifiers", "linux-x64;linux-arm64");
        apps[3].Property("ImageTags", "no/tag");

        var result = await RunAsync(
            workspace,
            workspace.PublishImages(workspace.Solution("S.slnx", "Aaa", "Bbb", "Ccc", "Ddd"), "-m:2"),
            succeeds: false
        );

        Assert.NotEqual(0, result.ExitCode);
        Assert.Matches(
            @"\nImages: 1 published, 0 unchanged, 3 failed, .*\n  published: Aaa\n  failed: Bbb \(not built\), Ccc \(IMG1007\), Ddd \(IMG1004\)\n$",
            result.Output
        );
        Assert.Contains(
            "| `Ddd` | failed: IMG1004 |  |",
            await File.ReadAllTextAsync(workspace["page.md"], Cancelled),
            StringComparison.Ordinal
        );
    }

    [Fact]
    [ReliabilityCase(Area, "a solution in Azure Pipelines", "one table, and the images to deploy as a variable for steps and for jobs")]
    public async Task AzurePipelinesGetsOneTableAndWhatToDeploy()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var apps = Apps(workspace, registry, "Aaa", "Bbb", "Ccc");
        apps[2].Property("ImageTags", "no/tag");
        var publish = workspace.PublishImages(workspace.Solution("S.slnx", "Aaa", "Bbb", "Ccc"), "-m:2");
        Directory.CreateDirectory(workspace["agent"]);
        (string, string?)[] agent = [("TF_BUILD", "True"), ("AGENT_TEMPDIRECTORY", workspace["agent"])];

        var first = await RunInAsync(publish, agent);
        workspace.Write("Ccc/Ccc.csproj", (await File.ReadAllTextAsync(workspace["Ccc/Ccc.csproj"], Cancelled)).Replace("no/tag", "2.0.0"));
        var second = await RunInAsync(publish, agent);

        var files = Directory.GetFiles(workspace["agent"]);
        Assert.Equal(2, files.Length);
        var tables = await Task.WhenAll(files.Select(file => File.ReadAllTextAsync(file, Cancelled)));
        Assert.Contains(tables, table =>
            table.StartsWith("### Images: 2 published, 0 unchanged, 1 failed\n", StringComparison.Ordinal)
            && table.Contains("| `Ccc` | failed: IMG1004 |  |", StringComparison.Ordinal)
        );
        foreach (var output in new[] { first.Output, second.Output })
        {
            var commands = output
                .Split('\n')
                .Select(line => line.Trim())
                .Where(line => line.StartsWith("##vso[", StringComparison.Ordinal))
                .ToList();
            Assert.Single(commands, command => command.StartsWith("##vso[task.uploadsummary]", StringComparison.Ordinal));
            Assert.Contains($"##vso[task.uploadsummary]{files.Single(file => output.Contains(file, StringComparison.Ordinal))}", commands);
        }

        string[] names = ["Aaa", "Bbb"];
        var images = names
            .Select(name => (Name: name, Repository: name.ToLowerInvariant()))
            .Select(app => (app.Name, Reference: $"{registry.Host}/{app.Repository}@{registry.Content.Tags(app.Repository)["1.0.0"]}"))
            .Select(app => $$"""{"project":"{{app.Name}}","image":"{{app.Reference}}"}""");
        Assert.Contains(
            $"\n##vso[task.setvariable variable=ImagesPublished][{string.Join(',', images)}]\n",
            first.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("\n##vso[task.setvariable variable=ImagesPublished;isOutput=true][", first.Output, StringComparison.Ordinal);
        Assert.Contains(
            $"\n##vso[task.setvariable variable=ImagesPublished;isOutput=true][{{\"project\":\"Ccc\",\"image\":\"{registry.Host}/ccc@",
            second.Output,
            StringComparison.Ordinal
        );
        // MSBuild indents what tasks log. The agent finds a command anywhere in a line.
        Assert.Contains("##vso[task.setvariable variable=ImageChanged_Aaa]false", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "a solution in GitLab", "`image.env` has the names of the images to deploy, and keeps its previous content")]
    public async Task GitLabGetsTheNamesOfWhatToDeploy()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        Apps(workspace, registry, "Aaa", "Bbb");
        var publish = workspace.PublishImages(workspace.Solution("S.slnx", "Aaa", "Bbb"), "-m:2");
        workspace.Write("image.env", "OTHER=1\n");
        (string, string?)[] gitLab = [("GITLAB_CI", "true"), ("CI_PROJECT_DIR", workspace.Path)];

        (await RunInAsync(publish, gitLab)).EnsureSuccess();
        var first = await File.ReadAllLinesAsync(workspace["image.env"], Cancelled);
        (await RunInAsync(publish, gitLab)).EnsureSuccess();
        var second = await File.ReadAllLinesAsync(workspace["image.env"], Cancelled);

        string[] own = [.. new[] { "aaa", "bbb" }.Select(name => $"{registry.Host}/{name}@{registry.Content.Tags(name)["1.0.0"]}")];
        Assert.Equal("OTHER=1", first[0]);
        Assert.Equal("IMAGES_PUBLISHED=Aaa Bbb", first[^1]);
        Assert.Superset(
            new HashSet<string> { $"IMAGE_REFERENCE_AAA={own[0]}", "IMAGE_CHANGED_AAA=true", $"IMAGE_REFERENCE_BBB={own[1]}" },
            first.ToHashSet()
        );
        Assert.Equal("IMAGES_PUBLISHED=", second[^1]);
        Assert.Contains("IMAGE_CHANGED_BBB=false", second);
        Assert.Equal(first.Length, second.Length);
    }

    [Theory]
    [InlineData("-graph")]
    [InlineData("-graph", "-isolate")]
    [InlineData]
    public async Task GraphBuildsAndTraversalProjectsAreSummedUpToo(params string[] switches)
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        Apps(workspace, registry, "Aaa", "Bbb");
        var solution = workspace.Solution("S.slnx", "Aaa", "Bbb");
        await BuildServers.SucceedAsync(workspace.DotNet("restore", solution), Cancelled);
        var traversal = workspace.Write(
            "all.proj",
            """
            <Project>
              <Target Name="PublishImage">
                <MSBuild Projects="Aaa/Aaa.csproj;Bbb/Bbb.csproj" Targets="PublishImage" BuildInParallel="true" />
              </Target>
            </Project>
            """
        );
        var what = switches.Length > 0 ? solution : traversal;

        var result = await RunAsync(
            workspace,
            workspace.DotNet([
                "msbuild",
                what,
                "-nologo",
                "-tl:off",
                "-m:2",
                "-t:PublishImage",
                "-p:ImageSummaryFile=images.json",
                .. switches,
            ])
        );

        Assert.Matches(@"\nImages: 2 published, 0 unchanged, .*\n  published: Aaa, Bbb\n$", result.Output);
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(workspace["images.json"], Cancelled));
        Assert.Equal(2, json.RootElement.GetProperty("published").GetInt32());
    }

    [Fact]
    public async Task UnderTheTerminalLoggerItIsTheLastThatStandsThere()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var apps = Apps(workspace, registry, "Aaa", "Bbb", "Ccc");
        apps[1].Property("ImageTags", "no/tag");
        var solution = workspace.Solution("S.slnx", "Aaa", "Bbb", "Ccc");
        await BuildServers.SucceedAsync(workspace.DotNet("restore", solution), Cancelled);
        var command = workspace.DotNet("publish", solution, "-nologo", "--no-restore", "-m:2", "-p:PublishImage=true");
        await using var terminal = await Terminal.StartAsync(command, Columns, 50, Cancelled);

        var lines = await terminal.EndAsync(Cancelled);

        Assert.Contains(lines, line => line.StartsWith("Build failed with 1 error", StringComparison.Ordinal));
        Assert.Matches(@"^Images: 2 published, 0 unchanged, 1 failed, \d+\.\d s, [\d.]+ kB uploaded", lines[^4]);
        Assert.Equal(["  published: Aaa, Ccc", "  failed: Bbb (IMG1004)", "ended with 1"], lines.TakeLast(3));
    }

    [Fact]
    public async Task ABuildOnAnMSBuildServerEndsWithItToo()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var apps = Apps(workspace, registry, "Aaa", "Bbb");
        var solution = workspace.Solution("S.slnx", "Aaa", "Bbb");
        string[] ofOne = ["--no-restore", "-p:PublishImage=true"];

        var first = await BuildServers.SucceedAsync(workspace.PublishImages(solution), Cancelled);
        var again = await BuildServers.SucceedAsync(workspace.PublishImages(solution), Cancelled);
        var value = await BuildServers.SucceedAsync(apps[0].Command("publish", [.. ofOne, "-getProperty:ImageDigest"]), Cancelled);
        var publish = workspace.DotNet(["publish", apps[0].File, "-nologo", .. ofOne]);
        await using var terminal = await Terminal.StartAsync(BuildServers.On(BuildServers.New(), publish), Columns, 50, Cancelled);
        var lines = await terminal.EndAsync(Cancelled);

        Assert.Matches(@"\nImages: 2 published, 0 unchanged, .*\n  published: Aaa, Bbb\n", first.Output);
        Assert.Matches(@"\nImages: 0 published, 2 unchanged, ", again.Output);
        Assert.Matches("^sha256:[0-9a-f]{64}\n$", value.Output);
        // The terminal logger shows no task's messages.
        Assert.Contains($"  {registry.Host}/aaa@{value.Output.TrimEnd()}", lines);
    }

    [Fact]
    public async Task OneImageQuietBuildsAndValuesThatAreAskedForHaveNone()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var apps = Apps(workspace, registry, "Aaa", "Bbb");
        var solution = workspace.Solution("S.slnx", "Aaa", "Bbb");

        var one = await RunAsync(workspace, apps[0].Command("publish", "-p:PublishImage=true", "-p:ImageSummaryFile=one.json"));
        var page = await File.ReadAllTextAsync(workspace["page.md"], Cancelled);
        var quiet = await RunAsync(workspace, workspace.PublishImages(solution, "-v:q"));
        var value = await RunAsync(workspace, apps[0].Command("publish", "-p:PublishImage=true", "-getProperty:ImageDigest"));

        Assert.DoesNotContain("Images:", one.Output, StringComparison.Ordinal);
        Assert.StartsWith("### Aaa\n", page, StringComparison.Ordinal);
        Assert.Contains("\"published\": 1", await File.ReadAllTextAsync(workspace["one.json"], Cancelled), StringComparison.Ordinal);
        Assert.Equal("", quiet.All);
        Assert.Matches("^sha256:[0-9a-f]{64}\n$", value.Output);
    }

    [Fact]
    public async Task AFileThatCanNotBeWrittenIsAnErrorBeforeAnythingIsPublished()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var app = Apps(workspace, registry, "Aaa")[0];
        workspace.Write("file", "");

        var result = await app.Command("publish", "-p:PublishImage=true", "-p:ImageSummaryFile=file/images.json").RunAsync(Cancelled);

        Assert.Contains("error IMG3003: The summary of the images of this build can't be written", result.All, StringComparison.Ordinal);
        Assert.Empty(registry.Content.AllTags);
    }

    private static TestProject[] Apps(TestWorkspace workspace, TestRegistry registry, params string[] names) =>
        [.. names.Select(name => workspace.ScratchApp(name).Property("UseAppHost", "false").Property("ImageRegistry", registry.Host))];

    private static Task<CommandOutput> RunInAsync(CommandLine command, params (string Name, string? Value)[] system)
    {
        var environment = new Dictionary<string, string?>(command.Environment);
        foreach (var (name, value) in system)
            environment[name] = value;
        return (command with { Environment = environment }).RunAsync(Cancelled);
    }

    private static async Task<CommandOutput> RunAsync(TestWorkspace workspace, CommandLine command, bool succeeds = true)
    {
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["GITHUB_OUTPUT"] = workspace["github"],
            ["GITHUB_STEP_SUMMARY"] = workspace["page.md"],
        };
        var result = await (command with { Environment = environment }).RunAsync(Cancelled);
        return succeeds ? result.EnsureSuccess() : result;
    }
}
