using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Each kind of app gets the entry point that starts it, on the base that suits it, and runs in Docker.</summary>
public sealed class KindsOfAppsTests(Peers peers)
{
    private const string Greeting = "Hello, World!";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnFSharpConsoleAppRunsAndItsPrereleaseMovesNoOtherTag()
    {
        const string Repository = "kinds/fsharp";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        await workspace
            .DotNet("new", "console", "--language", "F#", "--name", "Sharp", "--output", "Sharp", "--no-restore")
            .SucceedAsync(Cancelled);
        var project = new TestProject(workspace, await peers.PackageAsync(), workspace["Sharp/Sharp.fsproj"])
            .WithImagePublish()
            .Property("Version", "2.0.0-rc.1");

        var build = (await project.PublishAsync(Cancelled, Switches.For(registry, Repository))).EnsureSuccess();

        Assert.Equal("""["dotnet","/app/Sharp.dll"]""", await EntrypointAsync(registry, Repository, build.Digest));
        Assert.Equal(["2.0.0-rc.1"], await registry.TagsAsync(Repository, Cancelled));
        await RunsAsync(build, "Hello from F#");
    }

    [Fact]
    public async Task AWorkerStartsAndExposesNoPort()
    {
        const string Repository = "kinds/worker";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("worker", "Hard.Worker", Cancelled)).WithImagePublish();

        var build = (await project.PublishAsync(Cancelled, Switches.For(registry, Repository))).EnsureSuccess();

        Assert.Equal("""["dotnet","/app/Hard.Worker.dll"]""", await EntrypointAsync(registry, Repository, build.Digest));
        Assert.False(
            (await registry.ConfigAsync(Repository, build.Digest, Cancelled)).GetProperty("config").TryGetProperty("ExposedPorts", out _)
        );
        Assert.Contains("docker run --rm " + registry.Host, build.Command.Output, StringComparison.Ordinal);
        var docker = await peers.DockerAsync();
        await using var container = await docker.StartAsync(build.Properties["ImageReference"], Cancelled);
        while (!(await container.LogsAsync(Cancelled)).Contains("Worker running at", StringComparison.Ordinal))
            await Task.Delay(100, Cancelled);
    }

    [Fact]
    public async Task ASelfContainedAppStartsItself()
    {
        const string Repository = "kinds/self-contained";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("console", "Alone", Cancelled)).WithImagePublish();
        string[] switches =
        [
            .. Switches.For(registry, Repository, "runtime-deps"),
            "-r",
            "linux-x64",
            "--self-contained",
            "-p:InvariantGlobalization=true",
        ];

        var build = (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();

        Assert.Equal("""["/app/Alone"]""", await EntrypointAsync(registry, Repository, build.Digest));
        await RunsAsync(build, Greeting);

        // The same in one file.
        var single = (
            await project.PublishAsync(Cancelled, [.. switches, "-p:PublishSingleFile=true", $"-p:PublishDir={workspace["single"]}/"])
        ).EnsureSuccess();
        Assert.False(File.Exists(workspace["single/Alone.dll"]));
        Assert.Equal("""["/app/Alone"]""", await EntrypointAsync(registry, Repository, single.Digest));
    }

    [Fact]
    public async Task ASingleFileThatNeedsTheRuntimeStartsItselfOnTheRuntime()
    {
        const string Repository = "kinds/single-file";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("console", "Single", Cancelled)).WithImagePublish();

        var build = (
            await project.PublishAsync(
                Cancelled,
                [.. Switches.For(registry, Repository), "-r", "linux-x64", "--no-self-contained", "-p:PublishSingleFile=true"]
            )
        ).EnsureSuccess();

        Assert.Equal("""["/app/Single"]""", await EntrypointAsync(registry, Repository, build.Digest));
        await RunsAsync(build, Greeting);
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "several target frameworks, and none selected",
        "one error, IMG1012, with the command that selects one; the same for `UpdateImageLock`"
    )]
    public async Task AProjectWithSeveralFrameworksSaysWhichSwitchItNeeds()
    {
        const string Repository = "kinds/frameworks";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await workspace.NewAsync("console", "Many", Cancelled)).WithImagePublish();
        project
            .Property("TargetFramework", "")
            .Property("TargetFrameworks", "netstandard2.0;net10.0")
            .Property("ImplicitUsings", "false")
            .Property("Nullable", "")
            .Content("Program.cs", """System.Console.WriteLine("Hello, World!");""");
        var switches = Switches.For(registry, Repository);

        var refused = await project.PublishAsync(Cancelled, switches);
        var target = await project.TargetAsync("PublishImage", Cancelled, [.. switches, "--no-restore"]);
        var locking = await project.TargetAsync("UpdateImageLock", Cancelled, [.. switches, "--no-restore"]);
        var published = await project.PublishAsync(Cancelled, [.. switches, "-f", "net10.0"]);

        Assert.All([refused, target, locking], build =>
        {
            Assert.False(build.Succeeded);
            var error = Assert.Single(build.Errors);
            Assert.Equal("IMG1012", error.Code);
            Assert.Contains("netstandard2.0;net10.0", error.Text, StringComparison.Ordinal);
            var command =
                build == locking
                    ? "dotnet msbuild -t:UpdateImageLock -p:TargetFramework=net10.0"
                    : "dotnet publish -f net10.0 -p:PublishImage=true";
            Assert.EndsWith(command, error.Text, StringComparison.Ordinal);
        });
        published.EnsureSuccess();
        Assert.Equal(["1.0.0", "latest"], await registry.TagsAsync(Repository, Cancelled));
    }

    private static async Task<string> EntrypointAsync(DockerRegistry registry, string repository, string digest) =>
        (await registry.ConfigAsync(repository, digest, Cancelled)).GetProperty("config").GetProperty("Entrypoint").GetRawText();

    private async Task RunsAsync(BuildOutput build, string greeting)
    {
        var docker = await peers.DockerAsync();
        var run = await docker.RunAsync(Cancelled, build.Properties["ImageReference"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains(greeting, run.Output, StringComparison.Ordinal);
    }
}
