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
