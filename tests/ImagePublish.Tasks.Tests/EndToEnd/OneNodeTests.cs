using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Builds with a single node (<c>-m:1</c>): one publish waits for the network while another works.</summary>
public sealed class OneNodeTests(Peers peers)
{
    private const string Area = "Projects";

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(Area, "two apps of a solution on one MSBuild node, with a slow registry", "published in parallel")]
    public async Task TwoAppsArePublishedSideBySide()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var meeting = Meet(registry);
        using var workspace = await peers.WorkspaceAsync();
        foreach (var name in (string[])["Bbb", "Ccc"])
            App(workspace, name);
        var solution = workspace.Write(
            "S.slnx",
            """<Solution><Project Path="Bbb/Bbb.csproj" /><Project Path="Ccc/Ccc.csproj" /></Solution>"""
        );

        var result = await PublishAsync(workspace, solution, registry);

        Assert.True(meeting.IsCompletedSuccessfully, result.All);
        Assert.DoesNotMatch("warning|error|   at ", result.All);
        Assert.Equal(2, registry.Content.AllTags.Keys.Count(tag => tag.EndsWith(":1.0.0", StringComparison.Ordinal)));
    }

    [Fact]
    [ReliabilityCase(Area, "two platforms of an app on one MSBuild node, with a slow registry", "published in parallel")]
    public async Task TwoPlatformsArePublishedSideBySide()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var meeting = Meet(registry);
        using var workspace = await peers.WorkspaceAsync();
        var app = App(workspace, "App")
            .Property("RuntimeIdentifiers", "linux-x64;linux-arm64")
            .Property("SelfContained", "false")
            .Property("UseAppHost", "false");

        var result = await PublishAsync(workspace, app.File, registry);

        Assert.True(meeting.IsCompletedSuccessfully, result.All);
        Assert.DoesNotMatch("warning|error|   at ", result.All);
        Assert.Contains("(2 platforms)", result.All, StringComparison.Ordinal);
    }

    private static TestProject App(TestWorkspace workspace, string name) =>
        workspace
            .Empty(name)
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .Content("Program.cs", $"System.Console.WriteLine(\"{name}\");");

    private static Task<CommandOutput> PublishAsync(TestWorkspace workspace, string what, TestRegistry registry) =>
        workspace
            .DotNet("publish", what, "-nologo", "-tl:off", "-m:1", "-p:PublishImage=true", $"-p:ImageRegistry={registry.Host}")
            .SucceedAsync(Cancelled);

    // The registry answers neither of the first two that put a manifest before both have asked.
    private static Task Meet(TestRegistry registry)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = 0;
        registry.Faults.Add(new Fault(RegistryStep.ManifestPut, FaultAction.Custom("waits for another", async (_, _, next) =>
                {
                    if (Interlocked.Increment(ref arrived) == 2)
                        met.SetResult();
                    await Task.WhenAny(met.Task, Task.Delay(LongestWait, Cancelled));
                    await next();
                })) { Times = 2 });
        return met.Task;
    }
}
