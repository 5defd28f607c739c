using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

public sealed class TestProjectTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AProjectTakesThePackageFromTheFeed()
    {
        using var workspace = await peers.WorkspaceAsync();
        var library = await workspace.NewAsync("classlib", "Library", Cancelled);
        var project = (await workspace.NewAsync("web", "App", Cancelled)).WithImagePublish().ProjectReference(library);

        var build = await project.PublishAsync(Cancelled);

        build.EnsureSuccess();
        Assert.Empty(build.Messages);
        var published = Directory.GetFiles(Path.Combine(project.Folder, build.PublishFolder)).Select(Path.GetFileName);
        Assert.Contains("Library.dll", published);
        var assets = await File.ReadAllTextAsync(Path.Combine(project.Folder, "obj", "project.assets.json"), Cancelled);
        Assert.Contains($"{PackedPackage.Id}/{(await peers.PackageAsync()).Version}", assets, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABuildsMessagesAndResultsAreRead()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Thing")
            .Element(
                """
                <Target Name="Show">
                  <ItemGroup><PublishedImage Include="example.com/thing@sha256:0" Tags="1.0" /></ItemGroup>
                  <PropertyGroup><ImageDigest>sha256:0</ImageDigest></PropertyGroup>
                  <Warning Code="IMG1999" Text="careful [there]" />
                </Target>
                """
            )
            .Element("""<Target Name="Fail"><Error Code="IMG4999" Text="it failed" /></Target>""");

        var shown = await project.TargetAsync("Show", Cancelled, "-restore", BuildOutput.Log);
        var failed = await project.TargetAsync("Fail", Cancelled);

        shown.EnsureSuccess();
        Assert.Equal("sha256:0", shown.Digest);
        Assert.Equal("1.0", Assert.Single(shown.PublishedImages)["Tags"]);
        var warning = Assert.Single(shown.Warnings);
        Assert.Equal(new BuildMessage("warning", "IMG1999", "careful [there]") { File = warning.File, Line = warning.Line }, warning);
        Assert.Equal(project.File, warning.File);
        Assert.NotEqual(0, warning.Line);
        Assert.Contains("target \"Show\" in project", await shown.DetailsAsync(Cancelled), StringComparison.Ordinal);
        Assert.False(failed.Succeeded);
        Assert.Equal("error IMG4999: it failed", Assert.Single(failed.Errors).ToString());
    }

    [Fact]
    public async Task ACopiedRestoreIsWhatARestoreWrites()
    {
        using var workspace = await peers.WorkspaceAsync();
        using var elsewhere = await peers.WorkspaceAsync();
        var first = workspace.ScratchApp("First").PackageReference("Newtonsoft.Json", "13.0.4");
        var second = elsewhere.ScratchApp("Second.App").PackageReference("Newtonsoft.Json", "13.0.4").Property("ImageName", "second");

        await first.RestoreAsync(Cancelled);
        await second.RestoreAsync(Cancelled);
        var (copied, hash) = ReadObj(second);
        (await second.MSBuildAsync(Cancelled, "-t:Restore", "-p:RestoreForce=true")).EnsureSuccess();
        var (written, ownHash) = ReadObj(second);

        Assert.Equal(written, copied);
        Assert.NotEqual(ownHash, hash);
        Assert.Equal(ReadObj(first).Hash, hash);
    }

    [Fact]
    public async Task WhateverARestoreReadsCounts()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.ScratchApp("App");
        var restore = new ProjectRestore(workspace.Path, project.File);
        string Inputs(params string[] switches) => restore.ReadInputs(project.Command("publish", switches))!;
        var inputs = Inputs("-p:PublishImage=true");

        project.Property("ImageName", "acme/shop").Property("ContainerPort", "80").Item("None", "data/**");
        Assert.Equal(inputs, Inputs("-t:PlanImage", "-v:d", "-p:ImageTags=1"));
        var seen = new HashSet<string> { inputs };
        foreach (var read in new[] { "-p:RuntimeIdentifier=linux-x64", "-p:ImageRuntimeIdentifiers=linux-x64", "-p:RestorePackagesPath=x" })
            Assert.True(seen.Add(Inputs(read)), read);
        var command = project.Command("publish");
        var variables = new Dictionary<string, string?>(command.Environment) { ["NUGET_PACKAGES"] = workspace["packages"] };
        Assert.True(seen.Add(restore.ReadInputs(command with { Environment = variables })!));
        foreach (var file in new[] { "Directory.Build.props", "Directory.Packages.props", "App/Directory.Build.targets", "global.json" })
        {
            workspace.Write(file, "<Project />");
            Assert.True(seen.Add(Inputs()), file);
        }
        workspace.Write("NuGet.Config", "<configuration />");
        Assert.True(seen.Add(Inputs()));
        project.Property("TargetFramework", "net9.0");
        Assert.True(seen.Add(Inputs()));
        project.Item("PackageReference", "$(ImageName)");
        Assert.True(seen.Add(Inputs()));
        project.Property("ImageName", "Newtonsoft.Json");
        Assert.True(seen.Add(Inputs()));
        project.ProjectReference(workspace.Empty("Library"));
        Assert.True(seen.Add(Inputs()));
        workspace.Empty("Library").PackageReference("Newtonsoft.Json", "13.0.4");
        Assert.True(seen.Add(Inputs()));
    }

    // Otherwise its client may lose the end of it, and the result.
    [Fact]
    public async Task WhatABuildOnAServerPrintsIsShownWhenItHasEnded()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Thing")
            .Element(
                """<Target Name="Show"><Warning Text="first" /><Exec Command="sleep 1; touch ended" /><Warning Text="last" /></Target>"""
            );
        var show = project.Command("msbuild", "-t:Show");
        const string Script = """("$@"; echo "ended with $?") 2>&1 | { read line; ls ended; echo "$line"; cat; }""";

        var shown = await BuildServers.SucceedAsync(
            show with
            {
                Program = "bash",
                Arguments = ["-c", Script, "bash", show.Program, .. show.Arguments],
                WorkingDirectory = project.Folder,
            },
            Cancelled
        );

        Assert.Matches("^ended\n.*warning : first.*\n.*warning : last.*\nended with 0\n$", shown.Output);
    }

    // What restores write of a project, and the hash of their inputs.
    private static (Dictionary<string, string> Files, string Hash) ReadObj(TestProject project)
    {
        var files = Directory.GetFiles(Path.Combine(project.Folder, "obj")).ToDictionary(file => file, File.ReadAllText);
        var cache = Path.Combine(project.Folder, "obj", "project.nuget.cache");
        var hash = JsonNode.Parse(files[cache])!["dgSpecHash"]!.GetValue<string>();
        files[cache] = files[cache].Replace(hash, "", StringComparison.Ordinal);
        return (files, hash);
    }

    [Fact]
    public void NothingOfTheTestHostReachesABuild()
    {
        var environment = DotNetCommand.Create("").Environment;

        Assert.All(environment.Where(variable => variable.Value is not null), variable =>
            Assert.Matches(
                "^(_BlazorBrotliCompressionLevel$|DOTNET_|MSBUILDDISABLENODEREUSE|SharedCompilationId|UseSharedCompilation)",
                variable.Key
            )
        );
        Assert.Equal("0", environment["DOTNET_CLI_USE_MSBUILD_SERVER"]);
    }
}
