using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A publish that is interrupted or fails moves all tags or none, and its last line is true.</summary>
public sealed class CancellationTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Tags",
        "Ctrl+C to dotnet publish while the second tag is being written",
        "the tag is finished, and one line names what was tagged"
    )]
    public async Task CtrlCBetweenTwoTagsLeavesNoneBehind()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = Project(workspace, registry);
        var (arrived, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        registry.Faults.Add(new Fault(RegistryStep.ManifestPut, FaultAction.Custom("is held", async (http, _, next) =>
                {
                    arrived.SetResult();
                    await released.Task.WaitAsync(http.RequestAborted);
                    await next();
                })) { When = request => request.Reference == "two" });

        await using var terminal = await Terminal.StartAsync(
            project.Command("publish", "-p:PublishImage=true", "-p:ImageDoctor=Off", "-v:d"),
            200,
            24,
            Cancelled
        );
        await arrived.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancelled);
        await terminal.PressAsync("C-c", Cancelled);
        await terminal.UntilAsync(_ => terminal.Written.Contains("Cancelled while names are tagged", StringComparison.Ordinal), Cancelled);
        released.SetResult();
        var lines = await terminal.EndAsync(Cancelled);

        Assert.Equal("ended with 1", lines[^1]);
        Assert.Equal(["one", "two"], registry.Content.Tags("acme/tagged").Keys.Order(StringComparer.Ordinal));
        var told = terminal
            .Written.Split('\n')
            .Where(line =>
                line.Contains("Publishing the image", StringComparison.Ordinal)
                || line.Contains("Tagged -> ", StringComparison.Ordinal) && line.Contains("acme", StringComparison.Ordinal)
            );
        Assert.Equal(
            $"Publishing the image of Tagged was cancelled. Done before that: "
                + $"tagged {registry.Host}/acme/tagged:one, {registry.Host}/acme/tagged:two.",
            Assert.Single(told).Trim()
        );
    }

    [Fact]
    [ReliabilityCase("Tags", "dotnet publish -warnaserror of an image that lacks a library", "the build fails, and no tag has moved")]
    public async Task AWarningThatIsAnErrorKeepsTheTags()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = Project(workspace, registry);
        File.Copy("/usr/bin/env", Path.Combine(project.Folder, "helper"));
        project.Item("None", "helper", ("CopyToPublishDirectory", "Always"));

        foreach (var asked in new[] { "-warnaserror", "-warnaserror:IMG6011", "-p:MSBuildTreatWarningsAsErrors=true" })
        {
            var failed = await project.PublishAsync(Cancelled, "-p:PublishImage=true", asked);
            Assert.False(failed.Succeeded);
            Assert.All(failed.Errors, error => Assert.Equal("IMG6011", error.Code));
            Assert.NotEmpty(failed.Errors);
            Assert.Empty(registry.Content.Tags("acme/tagged"));
        }

        (
            await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-warnaserror", "-p:NoWarn=IMG6011", "-p:ImageTags=silenced")
        ).EnsureSuccess();
        Assert.Equal(["silenced"], registry.Content.Tags("acme/tagged").Keys);
        var warned = (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        Assert.Contains(warned.Warnings, warning => warning.Code == "IMG6011");
        Assert.Equal(3, registry.Content.Tags("acme/tagged").Count);
    }

    private static TestProject Project(TestWorkspace workspace, TestRegistry registry) =>
        workspace
            .Empty("Tagged")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageRegistry", registry.Host)
            .Property("ImageRepositoryPrefix", "acme")
            .Property("ImageTags", "one two")
            .Content("Program.cs", "return;");
}
