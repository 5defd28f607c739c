using System.Runtime.InteropServices;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// Ways to build a project besides publishing it, and SDKs other than this machine's. All images go to a local store, on no base.
/// </summary>
public sealed class ProjectsTests(Peers peers)
{
    private static readonly string Architecture =
        RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "x64";

    private static readonly string Other = Architecture == "x64" ? "linux-arm64" : "linux-x64";

    private static readonly string OtherPlatform = Architecture == "x64" ? "linux/arm64" : "linux/amd64";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase("Projects", "`dotnet pack` of a tool with `PublishImage`", "no image is built")]
    [ReliabilityCase("Projects", "`dotnet clean`", "removes the results of publishes, plans and commands")]
    [ReliabilityCase(
        "Platforms",
        "the .NET SDK for Alpine, whose own identifier is `linux-musl-x64`",
        "a portable app is for `linux-x64`, a self-contained one stays on musl"
    )]
    public async Task AToolIsPackedWithoutAnImageAndPublishedOnAlpine()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = Console(workspace, "Tool").Property("PackAsTool", "true").Property("UseAppHost", "false");
        var obj = Path.Combine(project.Folder, "obj", "Release", "net10.0");
        var alpine = $"-p:NETCoreSdkBundledVersionsProps={WriteAlpine(workspace)}";
        Task<CommandOutput> RunAsync(string verb, params string[] switches) =>
            BuildServers.SucceedAsync(project.Command(verb, switches), Cancelled);

        var packed = await RunAsync("pack", "-p:PublishImage=true");
        var packedByTarget = await RunAsync("build", "-c", "Release", "-t:Pack", "-p:PublishImage=true");
        Assert.DoesNotContain("sha256:", packed.Output + packedByTarget.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(obj, "ImagePublish.json")));

        var published = (await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ImageTags={rid}", alpine)).EnsureSuccess();
        await RunAsync("build", "-c", "Release", "-t:PlanImage");
        (await project.MSBuildAsync(Cancelled, "-p:Configuration=Release", "-t:ListImages")).EnsureSuccess();
        var image = Assert.Single(published.PublishedImages);
        Assert.Equal($"linux-{Architecture}", image["Tags"]);
        Assert.Equal(["ImagePlan.json", "ImagePublish.ListImages.json", "ImagePublish.json"], Results(obj));

        Assert.Equal(
            $"linux-musl-{Architecture}",
            await PlatformsAsync(project, "_IsPublishing=true", "PublishSelfContained=true", alpine["-p:".Length..])
        );

        await RunAsync("clean", "-c", "Release");
        Assert.Empty(Results(obj));
    }

    [Fact]
    [ReliabilityCase(
        "Platforms",
        "a `RuntimeIdentifier` that the SDK infers, for example for self-contained apps",
        "`RuntimeIdentifiers` still decide; `-r`, a `RuntimeIdentifier` and `--use-current-runtime` take precedence"
    )]
    public async Task AnInferredRuntimeIdentifierIsNotTakenForTheUsers()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = Console(workspace, "Inferred")
            .Property("RuntimeIdentifiers", "linux-x64;linux-arm64")
            .Property("PublishSingleFile", "true")
            .Property("PublishSelfContained", "false")
            .Item("ImageLabel", "platform", ("Value", "$(ImageRuntimeIdentifier)"));

        var index = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        var one = (
            await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-r", "linux-arm64", "-p:ImageRepository=inferred/one")
        ).EnsureSuccess();

        Assert.Equal("linux/amd64;linux/arm64", Assert.Single(index.PublishedImages)["Platform"]);
        Assert.Equal("linux/arm64", Assert.Single(one.PublishedImages)["Platform"]);

        // The SDK adds what it infers to the list, and would publish for this machine.
        project.Property("RuntimeIdentifiers", Other);
        var other = (
            await project.PublishAsync(
                Cancelled,
                "-p:PublishImage=true",
                "-p:ImageRepository=inferred/other",
                $"-p:ImageArchive={workspace["other.tar"]}"
            )
        ).EnsureSuccess();
        var image = Assert.Single(other.PublishedImages);
        Assert.Equal((OtherPlatform, "1.0.0;latest"), (image["Platform"], image["Tags"]));
        Assert.Equal((image["Digest"], image["Identity"]), (other.Digest, other.Properties["ImageReference"]));
        Assert.True(File.Exists(workspace["other.tar"]));
        project.Property("RuntimeIdentifiers", "");
        var notRestored = await project.PublishAsync(Cancelled, "-p:PublishImage=true", $"-p:ImageRuntimeIdentifiers={Other}");
        Assert.Equal("IMG1015", Assert.Single(notRestored.Errors).Code);
        project.Property("RuntimeIdentifiers", "linux-x64;linux-arm64");

        // Every condition of the SDK's Microsoft.NET.RuntimeIdentifierInference.targets.
        const string Both = "linux-x64;linux-arm64";
        project.Property("PublishSingleFile", "").Property("PublishSelfContained", "");
        foreach (
            var reason in new[]
            {
                "PublishSelfContained",
                "PublishReadyToRun",
                "PublishSingleFile",
                "PublishTrimmed",
                "PublishAot",
                "SelfContained",
            }
        )
            Assert.Equal(Both, await PlatformsAsync(project, "_IsPublishing=true", $"{reason}=true"));
        Assert.Equal(
            $"linux-{Architecture}",
            await PlatformsAsync(project, "_IsPublishing=true", "PublishSelfContained=true", "UseCurrentRuntimeIdentifier=True")
        );
        Assert.Equal(
            "linux-arm64",
            await PlatformsAsync(project, "_IsPublishing=true", "PublishSelfContained=true", "PublishRuntimeIdentifier=linux-arm64")
        );
        project.Property("RuntimeIdentifiers", "");
        Assert.Equal($"linux-{Architecture}", await PlatformsAsync(project, "_IsPublishing=true", "PublishSelfContained=true"));
        Assert.Equal(
            "linux-arm64",
            await PlatformsAsync(
                project,
                "_IsPublishing=true",
                "PublishSelfContained=true",
                "NETCoreSdkPortableRuntimeIdentifier=osx-arm64"
            )
        );
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "a target of the package before the first restore",
        "MSBuild's MSB4057, explained in Troubleshooting; it runs with `-restore`"
    )]
    [ReliabilityCase("Projects", "`-graph -isolate`, with referenced projects", "works for one platform and for several")]
    public async Task AFreshCloneIsRestoredAndBuiltAsAnIsolatedGraph()
    {
        using var workspace = await peers.WorkspaceAsync();
        var library = workspace.Empty("Library").Content("Class.cs", "public static class Class;");
        var project = Console(workspace, "Graph").ProjectReference(library);

        var early = await project.MSBuildAsync(Cancelled, "-t:ListImages");
        var restored = (await project.MSBuildAsync(Cancelled, "-restore", "-t:ListImages")).EnsureSuccess();
        var one = (await project.TargetAsync("PublishImage", Cancelled, "--no-restore", "-graph", "-isolate")).EnsureSuccess();
        var two = (
            await project.TargetAsync(
                "PublishImage",
                Cancelled,
                "--no-restore",
                "-graph",
                "-isolate",
                "-p:ImageRuntimeIdentifiers=linux-x64 linux-arm64"
            )
        ).EnsureSuccess();

        Assert.Contains("MSB4057", early.Output, StringComparison.Ordinal);
        Assert.Contains("No images", restored.Output, StringComparison.Ordinal);
        Assert.NotEmpty(one.Digest);
        Assert.Equal("linux/amd64;linux/arm64", Assert.Single(two.PublishedImages)["Platform"]);
        Assert.Empty(two.Messages);
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "two projects that reference each other, with `ImageRevision=Inputs`",
        "MSBuild's MSB4006, which names the circle; no image"
    )]
    public async Task ProjectsThatReferenceEachOtherAreAnErrorAndNoImage()
    {
        using var workspace = await peers.WorkspaceAsync();
        var library = workspace.Empty("Library").WithImagePublish().Content("Class.cs", "public static class Class;");
        var project = Console(workspace, "Circle").ProjectReference(library);
        library.ProjectReference(project);

        var build = await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ImageRevision=Inputs");

        Assert.Equal("MSB4006", Assert.Single(build.Errors.Select(error => error.Code).Distinct()));
        Assert.False(Directory.Exists(workspace["store"]));
    }

    [Fact]
    [ReliabilityCase("Projects", "a file-based app, `dotnet publish app.cs`", "published like a project")]
    public async Task AnAppOfOneFileIsPublished()
    {
        using var workspace = await peers.WorkspaceAsync();
        // The SDK builds it in a folder of the user's data, which must be there.
        Directory.CreateDirectory(workspace.UserData);
        workspace.Write(
            "one.cs",
            $"""
            #:package {PackedPackage.Id}@{(await peers.PackageAsync()).Version}
            #:property PublishAot=false
            #:property ImageBase=scratch
            #:property ImageDefaultPackages=false
            #:property ImageDoctor=Off
            #:property ImageStore={workspace["store"]}
            Console.WriteLine("one");
            """
        );

        var published = await workspace
            .DotNet("publish", "one.cs", "-nologo", "-tl:off", "-p:PublishImage=true", "-getProperty:ImageReference")
            .SucceedAsync(Cancelled);

        Assert.Matches("^one@sha256:[0-9a-f]{64}\\s*$", published.Output);
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "one process of MSBuild builds with two copies of the package: two versions, or the code for two kinds of machines",
        "each runs its own code"
    )]
    public async Task TwoCopiesOfThePackageRunInOneProcess()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = Console(workspace, "Twice").Property("UseAppHost", "false");
        var server = BuildServers.New();
        CommandLine Publish(params string[] more) =>
            BuildServers.On(server, project.Command("publish", ["-p:PublishImage=true", "-getProperty:ImageDigest", .. more]));

        // The package has compiled code for this machine and plain code for the other.
        var compiled = await Publish().SucceedAsync(Cancelled);
        var plain = await Publish($"-p:NETCoreSdkBundledVersionsProps={WriteAlpine(workspace)}").SucceedAsync(Cancelled);

        Assert.Matches("^sha256:[0-9a-f]{64}\\s*$", compiled.Output);
        Assert.Equal(compiled.Output, plain.Output);
    }

    private static TestProject Console(TestWorkspace workspace, string name) =>
        workspace
            .Empty(name)
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            .Property("ImageBase", "scratch")
            .Property("ImageDefaultPackages", "false")
            .Property("ImageDoctor", "Off")
            .Property("ImageStore", workspace["store"]);

    private static string[] Results(string folder) =>
        [.. Directory.EnumerateFiles(folder, "Image*.json").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private static async Task<string> PlatformsAsync(TestProject project, params string[] properties)
    {
        string[] arguments =
        [
            "-t:_PrepareImage",
            "-getProperty:_ImageRuntimeIdentifiers",
            .. properties.Select(property => $"-p:{property}"),
        ];
        return (await project.MSBuildAsync(Cancelled, arguments)).EnsureSuccess().Output.Trim();
    }

    // What tells Alpine's SDK from this one.
    private static string WriteAlpine(TestWorkspace workspace)
    {
        var dotnet = DotNetInstallation.Find();
        var file = Directory
            .EnumerateFiles(Path.Combine(dotnet.Folder, "sdk"), "Microsoft.NETCoreSdk.BundledVersions.props", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Last();
        return workspace.Write(
            "Alpine.props",
            $"""
            <Project>
              <Import Project="{file}" />
              <PropertyGroup>
                <NETCoreSdkRuntimeIdentifier>linux-musl-{Architecture}</NETCoreSdkRuntimeIdentifier>
                <NETCoreSdkPortableRuntimeIdentifier>linux-musl-{Architecture}</NETCoreSdkPortableRuntimeIdentifier>
              </PropertyGroup>
            </Project>
            """
        );
    }
}
