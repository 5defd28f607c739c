using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Targets that a project runs before and after its image, however the image is asked for.</summary>
public sealed class HooksTests(Peers peers)
{
    private const string Area = "Hooks";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "targets before and after the image, and in `PublishImageDependsOn`",
        "each runs once, with `dotnet publish` and with `-t:PublishImage`; their settings apply, and the user's own properties "
            + "keep their values"
    )]
    public async Task EachRunsOnceWithBothCommands()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = (await CreateAsync(workspace, registry, "hooks/both"))
            .Property("PublishImageDependsOn", "TraceEarly")
            .Property("ImageRuntimeIdentifiers", "linux-x64")
            .Property("ContainerRepository", "Hooks/Both")
            .Property("ImageArchive", "$(MSBuildProjectDirectory)/obj/image.tar")
            .Element(Trace("TraceEarly", "", "early"))
            .Element(
                """<Target Name="Choose" BeforeTargets="BeforePublishImage"><PropertyGroup><ImageTags>chosen</ImageTags></PropertyGroup><ItemGroup><ImageLabel Include="hook" Value="yes" /></ItemGroup></Target>"""
            )
            .Element(
                Trace("TraceBefore", "BeforeTargets='BeforePublishImage'", "before $([System.IO.File]::Exists('$(PublishDir)Hooked.dll'))")
            )
            .Element(
                Trace(
                    "TraceAfter",
                    "AfterTargets='AfterPublishImage'",
                    "after $(ImageDigest) @(PublishedImage->'%(Digest)') [$(ImageRepository)] [$(ImageTagPolicy)] "
                        + "$([System.IO.File]::Exists('$(ImageArchive)'))"
                )
            )
            .Element(Trace("TracePublishImage", "AfterTargets='PublishImage'", "done"));
        workspace.Write(
            "Directory.Build.targets",
            $"""<Project><PropertyGroup><PublishImageDependsOn>$(PublishImageDependsOn);TraceLate</PublishImageDependsOn></PropertyGroup>{Trace("TraceLate", "", "late")}</Project>"""
        );

        var published = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        string[] expected = ["early", "before True", $"after {published.Digest} {published.Digest} [] [] True", "late", "done"];
        Assert.Equal(expected, TakeLines(project));
        Assert.Equal(
            "yes",
            (await registry.ConfigAsync("hooks/both", "chosen", Cancelled))
                .GetProperty("config")
                .GetProperty("Labels")
                .GetProperty("hook")
                .GetString()
        );

        (await project.TargetAsync("PublishImage", Cancelled, "-c", "Release")).EnsureSuccess();
        Assert.Equal(expected, TakeLines(project));
        (await project.TargetAsync("PublishImage", Cancelled, "-c", "Release", "-p:PublishImage=true")).EnsureSuccess();
        Assert.Equal(expected, TakeLines(project));

        (await project.TargetAsync("PlanImage", Cancelled, "-c", "Release")).EnsureSuccess();
        Assert.Equal(["early", "before True", "late", "done"], TakeLines(project));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "the project sets `AfterMicrosoftNETSdkTargets` without its previous value",
        "the image is published anyway, with the files that the project's own targets add after Publish"
    )]
    public async Task AnOverwrittenListOfTheSdkDoesNotSwitchThePackageOff()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var own = workspace.Write("own.targets", "<Project />");
        var project = (await CreateAsync(workspace, registry, "hooks/overwritten"))
            .Property("AfterMicrosoftNETSdkTargets", own)
            .Element(Add("own.txt"));
        workspace.Write(
            "Directory.Build.targets",
            $"<Project><PropertyGroup><AfterMicrosoftNETSdkTargets>{own}</AfterMicrosoftNETSdkTargets></PropertyGroup>{Add("late.txt")}</Project>"
        );

        var build = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        var files = await registry.FilesAsync("hooks/overwritten", build.Digest, Cancelled);
        Assert.Contains("app/own.txt", files.Keys);
        Assert.Contains("app/late.txt", files.Keys);

        workspace.Write(
            "Directory.Build.targets",
            $"<Project><PropertyGroup><CustomAfterDirectoryBuildTargets>{own}</CustomAfterDirectoryBuildTargets></PropertyGroup></Project>"
        );
        build = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        Assert.Contains("app/own.txt", (await registry.FilesAsync("hooks/overwritten", build.Digest, Cancelled)).Keys);
    }

    private static async Task<TestProject> CreateAsync(TestWorkspace workspace, DockerRegistry registry, string repository) =>
        workspace
            .Empty("Hooked")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            .Property("ContainerRegistry", registry.Host)
            .Property("ContainerRepository", repository)
            .Property("ContainerBaseImage", await SmallBase.PushToAsync(registry, "hooks/base:1", Cancelled));

    private static string Trace(string name, string order, string line) =>
        $"""<Target Name="{name}" {order.Replace('\'', '"')}><PropertyGroup><TraceLine>{line}</TraceLine></PropertyGroup><WriteLinesToFile File="$(MSBuildProjectDirectory)/trace.txt" Lines="$(TraceLine)" /></Target>""";

    private static string Add(string file) =>
        $"""<Target Name="{file.Replace('.', '-')}" AfterTargets="Publish"><WriteLinesToFile File="$(PublishDir){file}" Lines="{file}" Overwrite="true" /></Target>""";

    private static string[] TakeLines(TestProject project)
    {
        var file = Path.Combine(project.Folder, "trace.txt");
        var lines = File.ReadAllLines(file);
        File.Delete(file);
        return lines;
    }
}
