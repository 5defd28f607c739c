using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.TakeOver;

/// <summary><c>PublishContainer</c> is this package's: once, whatever else is set, and one clear error where that can't be.</summary>
public sealed class TakeOverTests(ContainerApp app) : IClassFixture<ContainerApp>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private DockerRegistry Registry => app.Registry;

    [Fact]
    public async Task BothSwitchesMakeOneImage()
    {
        var build = await PublishAsync("both/same", "-p:PublishImage=true", "-p:Ports=8080");

        build.EnsureSuccess();
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "both/same", "1"));
        Assert.Equal((await Registry.ManifestAsync("both/same", "1", Cancelled)).Digest, build.Output.Trim());
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "PublishImage=true and -t:PublishContainer in one build, with two different images",
        "IMG1034 before the second is pushed; the tag is moved once"
    )]
    public async Task BothSwitchesWithTwoImagesAreAnError()
    {
        var build = await PublishAsync("both/other", "-p:PublishImage=true");

        Assert.NotEqual(0, build.ExitCode);
        Assert.Matches(
            $"error IMG1034: PublishImage has published {ContainerApp.AssemblyName} as {Registry.Host}/both/other:1 in this build",
            build.All
        );
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "both/other", "1"));
    }

    [Fact]
    public async Task BothSwitchesWithoutTakeOverAreAnErrorBeforeTheSdkPushes()
    {
        var build = await PublishAsync("both/left", "-p:PublishImage=true", "-p:ImageTakeOver=false");

        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains(
            "error IMG1034: PublishImage and the .NET SDK's PublishContainer would both publish an image",
            build.All,
            StringComparison.Ordinal
        );
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "both/left", "1"));
    }

    [Fact]
    public async Task AProfileForContainersDecidesOverPublishImage()
    {
        var build = await app.RunAsync(
            app.Ours,
            "publish",
            "{project}",
            "-p:PublishProfile=DefaultContainer",
            "-p:PublishImage=true",
            $"-p:ContainerRegistry={Registry.Host}",
            "-p:ContainerRepository=both/profile",
            "-p:ContainerImageTag=1"
        );

        build.EnsureSuccess();
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "both/profile", "1"));
        Assert.Contains(
            "ExposedPorts: 6000/tcp 8080/tcp",
            ContainerApp.Settings((await Registry.ConfigAsync("both/profile", "1", Cancelled)).GetProperty("config")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task WithoutTakeOverTheSdkPublishes()
    {
        var build = await PublishAsync("left/sdk", "-p:ImageTakeOver=false");

        build.EnsureSuccess();
        var history = (await Registry.ConfigAsync("left/sdk", "1", Cancelled)).GetProperty("history");
        Assert.StartsWith(
            ".NET SDK Container Tooling",
            history.EnumerateArray().Last().GetProperty("created_by").GetString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("IMG", build.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTargetsBeforeItSetIsInTheImageAndTheTimeOfTheBuildIsNot()
    {
        var first = await PublishAsync("hooks", "-p:Hooks=true");
        var again = await PublishAsync("hooks", "-p:Hooks=true");

        first.EnsureSuccess();
        Assert.Equal(first.Output, again.EnsureSuccess().Output);
        Assert.Equal(["1", "added"], await Registry.TagsAsync("hooks", Cancelled));
        var config = (await Registry.ConfigAsync("hooks", "added", Cancelled)).GetProperty("config");
        var labels = config.GetProperty("Labels").EnumerateObject().Select(label => label.Name).ToList();
        Assert.Contains("com.example.before", labels);
        Assert.Contains("com.example.after", labels);
        Assert.DoesNotContain(labels, label => label is "net.dot.sdk.version" or "org.opencontainers.artifact.created");
        Assert.Equal("Entrypoint: dotnet /app/Shop.Worker.dll", ContainerApp.Settings(config).Split('\n')[0]);
        Assert.Contains("LATE=yes", ContainerApp.Settings(config), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThePackagesOwnWordsHoldWhereTheCallerSaysNothing()
    {
        string[] project =
        [
            $"-p:ImageRegistry={Registry.Host}",
            "-p:ImageRepositoryPrefix=words",
            "-p:ImageRepository=Own",
            "-p:ImageTags=\"{version}-x\"",
        ];

        (await app.RunAsync(app.Ours, ["publish", "{project}", "-t:PublishContainer", .. project])).EnsureSuccess();
        (
            await app.RunAsync(
                app.Ours,
                ["publish", "{project}", "-t:PublishContainer", .. project, "-p:ContainerRepository=words/caller", "-p:ContainerImageTag=2"]
            )
        ).EnsureSuccess();

        Assert.Equal(["1.0.0-x"], await Registry.TagsAsync("words/own", Cancelled));
        Assert.Equal(["2"], await Registry.TagsAsync("words/caller", Cancelled));
    }

    [Theory]
    [InlineData("Docker", "error IMG3108: .*CONTAINER1012")]
    [InlineData("Wslc", "error IMG1035: LocalRegistry asks for 'wslc'")]
    [ReliabilityCase(
        "Projects",
        "PublishContainer without a registry, and no container engine that responds",
        "one error with the SDK's equivalent code, before an image is built"
    )]
    public async Task AnEngineThatIsNotThereIsAnErrorBeforeAnythingIsPublished(string engine, string error)
    {
        var command = app.Command(
            app.Ours,
            "publish",
            "{project}",
            "-t:PublishContainer",
            $"-p:LocalRegistry={engine}",
            "-p:ContainerRepository=nowhere",
            $"-p:ImageStore={app.Workspace[engine]}"
        );
        var build = await BuildServers.RunAsync(
            command with
            {
                Environment = new Dictionary<string, string?>([.. command.Environment, new("DOCKER_HOST", "unix:///nowhere/docker.sock")]),
            },
            Cancelled
        );

        Assert.NotEqual(0, build.ExitCode);
        Assert.Matches(error, build.All);
        Assert.False(Directory.Exists(app.Workspace[engine]));
    }

    [Fact]
    public async Task AnotherDefinitionOfTheTargetIsAWarning()
    {
        var file = app.Workspace.Write(
            "Redefined/Redefined.csproj",
            $"""
            <Project>
              <Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" />
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><OutputType>Exe</OutputType></PropertyGroup>
              <ItemGroup><PackageReference Include="{PackedPackage.Id}" Version="{app.PackageVersion}" /></ItemGroup>
              <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
              <Target Name="PublishContainer"><Message Importance="high" Text="another one" /></Target>
            </Project>
            """
        );

        var command = app.Workspace.DotNet("build", file, "-t:PublishContainer", "-nologo", "-tl:off");
        var build = await BuildServers.SucceedAsync(command, Cancelled);

        Assert.Contains("another one", build.Output, StringComparison.Ordinal);
        Assert.Contains(
            "warning IMG1036: PublishContainer of Redefined is not handled by ImagePublish.Tasks",
            build.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task OfASolutionEveryAppIsPublishedAndLibrariesAreSkipped()
    {
        Empty("Library").Content("Class.cs", "public class Class;");
        Empty("Several").Property("TargetFramework", "").Property("TargetFrameworks", "net10.0;net9.0").Content("Program.cs", "return;");
        Empty("App")
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .Content("Program.cs", "return;");
        Empty("Other.App")
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .Content("Program.cs", "return;");
        var solution = app.Workspace.Solution("All.slnx", "Library", "App", "Other.App");
        string[] switches =
        [
            "-t:PublishContainer",
            $"-p:ContainerRegistry={Registry.Host}",
            "-p:ContainerImageTag=solution",
            "-nologo",
            "-tl:off",
        ];

        await BuildServers.SucceedAsync(app.Workspace.DotNet(["publish", solution, "-graph", .. switches]), Cancelled);
        string[] ofSeveral = [app.Workspace["Several/Several.csproj"], "-p:OutputType=Exe", "-p:ImageBase=scratch", .. switches];
        var several = await BuildServers.RunAsync(app.Workspace.DotNet(["build", .. ofSeveral]), Cancelled);
        await BuildServers.SucceedAsync(app.Workspace.DotNet(["publish", .. ofSeveral, "-f", "net10.0"]), Cancelled);

        // As the SDK has it: without a name of its own, 'Other.App' is 'other-app'.
        Assert.Equal(["solution"], await Registry.TagsAsync("app", Cancelled));
        Assert.Equal(["solution"], await Registry.TagsAsync("other-app", Cancelled));
        Assert.Empty(await Registry.TagsAsync("library", Cancelled));
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "app", "solution"));
        Assert.Contains("error IMG1012: Several targets several frameworks", several.All, StringComparison.Ordinal);
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "several", "solution"));
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "`PublishContainer` from a project that builds others, with `-graph -isolate`, and with `--artifacts-path`",
        "one image for every app, pushed once"
    )]
    public async Task HoweverProjectsAreBuiltEveryAppIsPublishedOnce()
    {
        var library = Empty("Modes.Library").Content("Class.cs", "public static class Class;");
        var project = Empty("Modes.App")
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .ProjectReference(library)
            .Content("Program.cs", "return;");
        // As the SDK Microsoft.Build.Traversal does it.
        var traversal = app.Workspace.Write(
            "modes.proj",
            """
            <Project>
              <ItemGroup><ProjectReference Include="Modes.*/*.csproj" /></ItemGroup>
              <Target Name="PublishContainer">
                <MSBuild Projects="@(ProjectReference)" Targets="PublishContainer" BuildInParallel="true" SkipNonexistentTargets="true" />
              </Target>
            </Project>
            """
        );
        var solution = app.Workspace.Solution("Modes.slnx", "Modes.Library", "Modes.App");
        const string Platforms = "-p:ContainerRuntimeIdentifiers=\"linux-x64;linux-arm64\"";
        Task<CommandOutput> BuildAsync(string tag, string verb, string file, params string[] switches)
        {
            string[] names = ["-t:PublishContainer", $"-p:ContainerRegistry={Registry.Host}", $"-p:ContainerImageTag={tag}"];
            return BuildServers.SucceedAsync(app.Workspace.DotNet([verb, file, "-nologo", "-tl:off", .. names, .. switches]), Cancelled);
        }

        await project.RestoreAsync(Cancelled);
        await BuildAsync("traversal", "msbuild", traversal, "-p:Configuration=Release");
        await BuildAsync("isolated", "msbuild", project.File, "-p:Configuration=Release", "-graph", "-isolate", Platforms);
        await BuildAsync("solution", "publish", solution, "--no-restore", "-graph", "-isolate");
        await BuildAsync("artifacts", "publish", project.File, "--artifacts-path", app.Workspace["modes-artifacts"]);

        string[] tags = ["artifacts", "isolated", "solution", "traversal"];
        Assert.Equal(tags, (await Registry.TagsAsync("modes-app", Cancelled)).Order());
        Assert.Empty(await Registry.TagsAsync("modes-library", Cancelled));
        Assert.All(tags, tag => Assert.Equal(1, ContainerApp.PutsOf(Registry, "modes-app", tag)));
        Assert.Equal(["amd64", "arm64"], ArchitecturesOf((await Registry.ManifestAsync("modes-app", "isolated", Cancelled)).Json).Order());
    }

    [Fact]
    public async Task PackageLayersAreBuiltWhileTheProjectCompilesWhereAnImageFollows()
    {
        var project = Empty("Early.App")
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .PackageReference("Newtonsoft.Json", "13.0.3")
            .Element(
                """
                <Target Name="ChooseStore" BeforeTargets="BeforePublishImage">
                  <PropertyGroup><ImageStore>$(MSBuildProjectDirectory)/late-store</ImageStore></PropertyGroup>
                </Target>
                """
            )
            .Content("Program.cs", "System.Console.WriteLine(typeof(Newtonsoft.Json.JsonConvert));");
        async Task<bool> StartsEarlyAsync(string verb, string tag, params string[] switches)
        {
            string[] names = [$"-p:ContainerRegistry={Registry.Host}", $"-p:ContainerImageTag={tag}"];
            var build = await project.Command(verb, ["-v:d", .. names, .. switches]).SucceedAsync(Cancelled);
            var begun = build.Output.IndexOf("Task \"BeginImageEarly\"", StringComparison.Ordinal);
            return begun >= 0 && begun < build.Output.IndexOf("Target \"CoreCompile\"", StringComparison.Ordinal);
        }

        Assert.True(await StartsEarlyAsync("publish", "publish", "-t:PublishContainer"));
        Assert.True(await StartsEarlyAsync("build", "build", "-c", "Release", "-t:PublishContainer"));
        Assert.False(await StartsEarlyAsync("publish", "plain"));
        Assert.False(
            await StartsEarlyAsync("publish", "several", "-t:PublishContainer", "-p:ContainerRuntimeIdentifiers=\"linux-x64;linux-arm64\"")
        );

        // What a target sets after the early start holds for the image.
        Assert.True(Directory.Exists(Path.Combine(project.Folder, "late-store")));
        Assert.Equal(["build", "publish", "several"], (await Registry.TagsAsync("early-app", Cancelled)).Order());
        Assert.All(["build", "publish", "several"], tag => Assert.Equal(1, ContainerApp.PutsOf(Registry, "early-app", tag)));
    }

    [Fact]
    public async Task InVisualStudioTheImageIsPublishedOnceAndItsSignInIsAskedFor()
    {
        var build = await app.RunAsync(
            app.Ours,
            "publish",
            "{project}",
            "-t:PublishContainer",
            $"-p:ContainerRegistry={Registry.Host}",
            "-p:ContainerRepository=visual-studio",
            "-p:ContainerImageTag=1",
            "-p:BuildingInsideVisualStudio=true",
            "-v:d",
            "-tl:off"
        );

        build.EnsureSuccess();
        Assert.Contains("Visual Studio hands over no sign-in.", build.Output, StringComparison.Ordinal);
        Assert.Equal(1, ContainerApp.PutsOf(Registry, "visual-studio", "1"));
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "a file-based app (`dotnet publish app.cs`)",
        "published as it is, also for several platforms; a platform that it is not restored for is IMG1037"
    )]
    public async Task AFileBasedAppIsPublishedAsItIs()
    {
        // The SDK keeps what it builds of it below XDG_DATA_HOME, which must be there.
        Directory.CreateDirectory(app.Workspace.UserData);
        var file = app.Workspace.Write(
            "file/app.cs",
            $"""
            #:package {PackedPackage.Id}@{app.PackageVersion}
            #:property PublishAot=false
            #:property ImageBase=scratch
            #:property ImageDoctor=Off
            return;
            """
        );
        const string Platforms = "linux-x64;linux-arm64";
        CommandLine Command(string tag, params string[] switches) =>
            app.Workspace.DotNet([
                "publish",
                file,
                "-t:PublishContainer",
                $"-p:ContainerRegistry={Registry.Host}",
                "-p:ContainerRepository=file-based",
                $"-p:ContainerImageTag={tag}",
                "--artifacts-path",
                app.Workspace["artifacts"],
                .. switches,
            ]);

        var one = await Command("1", "--getProperty:GeneratedContainerDigest").SucceedAsync(Cancelled);
        await Command("2", $"-p:ContainerRuntimeIdentifiers={Platforms}").SucceedAsync(Cancelled);
        // It builds itself once more, from the project that is in memory only.
        await Command("3", "-p:PublishImage=true").SucceedAsync(Cancelled);
        var unrestored = await Command("4", $"-p:ContainerRuntimeIdentifiers={Platforms}", "-p:SelfContained=true").RunAsync(Cancelled);

        Assert.Equal((await Registry.ManifestAsync("file-based", "1", Cancelled)).Digest, one.Output.Trim());
        var index = await Registry.ManifestAsync("file-based", "2", Cancelled);
        Assert.Equal(["amd64", "arm64"], ArchitecturesOf(index.Json).Order());
        Assert.Matches(
            "error IMG1037: .* not restored for .*linux-arm64.*#:property RuntimeIdentifiers=linux-x64;linux-arm64",
            unrestored.All
        );
        Assert.Equal(["1", "2", "3"], await Registry.TagsAsync("file-based", Cancelled));
        Assert.All(["1", "2", "3"], tag => Assert.Equal(1, ContainerApp.PutsOf(Registry, "file-based", tag)));
    }

    private static IEnumerable<string> ArchitecturesOf(JsonElement index) =>
        index
            .GetProperty("manifests")
            .EnumerateArray()
            .Select(image => image.GetProperty("platform").GetProperty("architecture").GetString()!);

    private TestProject Empty(string name) => app.Workspace.Empty(name).WithImagePublish();

    private Task<CommandOutput> PublishAsync(string repository, params string[] switches) =>
        app.RunAsync(
            app.Ours,
            [
                "publish",
                "{project}",
                "-t:PublishContainer",
                $"-p:ContainerRegistry={Registry.Host}",
                $"-p:ContainerRepository={repository}",
                "-p:ContainerImageTag=1",
                "--getProperty:GeneratedContainerDigest",
                .. switches,
            ]
        );
}
