using System.Collections.Concurrent;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// Builds with fewer nodes (<c>-m:2</c>) than images: a publish that waits for the network does not keep its node from building another.
/// With <c>-m:1</c> MSBuild builds one project after the other, whatever its tasks do.
/// </summary>
public sealed class FewNodesTests(Peers peers)
{
    private const string Area = "Projects";
    private const int Images = 3;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(Area, "three apps of a solution on two MSBuild nodes, with a slow registry", "published in parallel")]
    public async Task AppsArePublishedSideBySide()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var meeting = Meet(registry, request => request.Repository);
        using var workspace = await peers.WorkspaceAsync();
        string[] names = ["Bbb", "Ccc", "Ddd"];
        foreach (var name in names)
            workspace.ScratchApp(name);

        var result = await PublishAsync(workspace, names, registry);

        Assert.True(meeting.HaveAllMet, result.All);
        Assert.DoesNotMatch("warning|error|   at ", result.All);
        Assert.Equal(Images, registry.Content.AllTags.Keys.Count(tag => tag.EndsWith(":1.0.0", StringComparison.Ordinal)));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "an app for two platforms beside another app, on two MSBuild nodes, behind a registry that takes long",
        "published side by side"
    )]
    public async Task PlatformsArePublishedSideBySide()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var meeting = Meet(registry, request => request.Reference);
        using var workspace = await peers.WorkspaceAsync();
        workspace.ScratchApp("Bbb");
        workspace
            .ScratchApp("Ccc")
            .Property("RuntimeIdentifiers", "linux-x64;linux-arm64")
            .Property("SelfContained", "false")
            .Property("UseAppHost", "false");

        var result = await PublishAsync(workspace, ["Bbb", "Ccc"], registry);

        Assert.True(meeting.HaveAllMet, result.All);
        Assert.DoesNotMatch("warning|error|   at ", result.All);
        Assert.Contains("(2 platforms)", result.All, StringComparison.Ordinal);
    }

    private static Task<CommandOutput> PublishAsync(TestWorkspace workspace, string[] names, TestRegistry registry)
    {
        var solution = workspace.Solution("S.slnx", names);
        var publish = workspace.PublishImages(solution, "-m:2", $"-p:ImageRegistry={registry.Host}");
        return BuildServers.RunAsync(publish, Cancelled);
    }

    // The registry takes the manifest of no image before all images have come as far.
    private static Meeting Meet(TestRegistry registry, Func<RecordedRequest, string> image)
    {
        var meeting = new Meeting();
        registry.Faults.Add(new Fault(RegistryStep.ManifestPut, FaultAction.Custom("waits for the others", async (_, request, next) =>
                {
                    await meeting.JoinAsync(image(request));
                    await next();
                })) { Times = Fault.Always });
        return meeting;
    }

    /// <summary>Each image waits for the others, but not forever: one that waits in vain ends the meeting.</summary>
    private sealed class Meeting
    {
        private readonly TaskCompletionSource<bool> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ConcurrentDictionary<string, bool> arrived = new(StringComparer.Ordinal);

        public bool HaveAllMet => end.Task is { IsCompletedSuccessfully: true, Result: true };

        public async Task JoinAsync(string image)
        {
            if (arrived.TryAdd(image, true) && arrived.Count == Images)
                end.TrySetResult(true);
            if (await Task.WhenAny(end.Task, Task.Delay(LongestWait, Cancelled)) != end.Task)
                end.TrySetResult(false);
        }
    }
}
