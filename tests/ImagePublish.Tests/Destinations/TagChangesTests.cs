using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Publishing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Storage;

namespace ImagePublish.Tests.Destinations;

/// <summary>
/// What other people see changes as a whole, or the message names what changed: in every command that moves tags or removes images.
/// </summary>
public sealed class TagChangesTests
{
    public static TheoryData<string> Commands => ["publish", "index", "tag", "copy"];

    [Theory]
    [MemberData(nameof(Commands))]
    [ReliabilityCase("Tags", "Ctrl+C after the first of several tags has moved", "the others are moved too")]
    public async Task ACancellationBetweenTwoTagsLeavesNoneBehind(string command)
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        registry.Time = TimeProvider.System;
        using var user = new CancellationTokenSource();
        var run = Prepare(command, bench, registry, user.Token);
        bench.Server.Faults.Add(AtTag("2", FaultAction.Custom("the user cancels", async (_, _, next) =>
                {
                    await user.CancelAsync();
                    await next();
                })));

        // What is done after the tags may still be cancelled.
        await Task.WhenAny(run());

        Assert.All(["1", "2", "3"], tag => Assert.NotNull(bench.TagDigest("a/x", tag)));
        Assert.Equal(Names(bench, "1", "2", "3").Select(name => $"tagged {name}"), registry.Log.Changes);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    [ReliabilityCase(
        "Tags",
        "Ctrl+C while a registry does not answer for the second of several tags",
        "after ten seconds, one error names what moved, what may have moved and what did not"
    )]
    public async Task WhatMovedBeforeTheTimeWasUpIsNamed(string command)
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        using var user = new CancellationTokenSource();
        var run = Prepare(command, bench, registry, user.Token);
        bench.Server.Faults.Add(AtTag("2", FaultAction.Custom("the user cancels, and there is no answer", async (http, _, _) =>
                {
                    await user.CancelAsync();
                    await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                })));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.ChangesInterrupted, run);

        var names = Names(bench, "1", "2", "3");
        Assert.Contains(
            $"Tagged: {names[0]}; perhaps tagged: {names[1]}; not tagged: {names[2]}. Run it again to finish.",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.True(failure.TellsChanges);
        Assert.NotNull(bench.TagDigest("a/x", "1"));
        Assert.Null(bench.TagDigest("a/x", "3"));
        Assert.Contains("within 10 seconds", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    [ReliabilityCase(
        "Tags",
        "the registry refuses the second of several tags",
        "one error names the tags that moved and those that did not"
    )]
    public async Task WhatMovedBeforeAFailureIsNamed(string command)
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        var run = Prepare(command, bench, registry, PublishingBench.Cancel);
        bench.Server.Faults.Add(AtTag("2", FaultAction.Status(403)));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryDenied, run);

        var names = Names(bench, "1", "2", "3");
        Assert.EndsWith(
            $" Tagged: {names[0]}; not tagged: {names[1]}, {names[2]}. Run it again to finish.",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(["1"], bench.Server.Content.Tags("a/x").Keys);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    [ReliabilityCase("Tags", "Ctrl+C before the first tag", "no tag moves")]
    public async Task ACancellationBeforeTheFirstTagLeavesAllAsTheyAre(string command)
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        using var user = new CancellationTokenSource();
        var run = Prepare(command, bench, registry, user.Token);
        // The last that is done before the first tag: the image is put, or found where it is already.
        var cancels = FaultAction.Custom("the user cancels", async (_, _, next) =>
        {
            await next();
            await user.CancelAsync();
        });
        var step = command == "tag" ? RegistryStep.ManifestHead : RegistryStep.ManifestPut;
        var cancel = bench.Server.Faults.Add(new Fault(step, cancels) { When = request => request.Repository == "a/x" });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(run);

        Assert.Equal(1, cancel.Hits);
        Assert.Empty(bench.Server.Content.Tags("a/x"));
        Assert.Empty(registry.Log.Changes);
    }

    [Fact]
    public async Task NothingIsChangedAfterACancellation()
    {
        var log = new TestLog();
        var changes = new TagChanges(NameChange.Tagged, log, TimeProvider.System);
        var made = 0;
        var change = new TagChange(["a/x:1"], _ => Task.FromResult(made++));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changes.MakeAsync([change], new CancellationToken(canceled: true)));

        Assert.Equal(0, made);
        Assert.Empty(log.Changes);
    }

    [Fact]
    [ReliabilityCase("Tags", "a registry moves a tag, but answers the last try with 503", "the publish finds the tag moved, and succeeds")]
    public async Task ATagThatMovedWithTheLastErrorIsFound()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);
        var run = Prepare("publish", bench, registry, PublishingBench.Cancel);
        var tries = registry.Options.MaxTries;
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestPut, FaultAction.Status(503)) { When = IsTag("2"), Times = tries - 1 });
        bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.ProcessThenStatus(503)) { When = IsTag("2"), Skip = tries - 1 }
        );

        await run();

        Assert.All(["1", "2", "3"], tag => Assert.NotNull(bench.TagDigest("a/x", tag)));
    }

    [Fact]
    [ReliabilityCase("Tags", "the second of two registries refuses a tag", "one error names every tag at both that moved and that did not")]
    public async Task AtSeveralRegistriesEveryTagIsNamed()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.Status(403))
            {
                When = request => request is { Repository: "b/x", Reference: "2" },
            }
        );

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryDenied, () =>
            bench.PublishAsync(bench.Request("1", "2") with { Destinations = [bench.Named("a/x"), bench.Named("b/x"), bench.Named("c/x")] })
        );

        var host = bench.Server.Host;
        Assert.EndsWith(
            $" Tagged: {host}/a/x:1, {host}/a/x:2, {host}/b/x:1; not tagged: {host}/b/x:2, {host}/c/x:1, {host}/c/x:2. Run it again "
                + $"to finish.",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.Equal([2, 1, 0], new[] { "a/x", "b/x", "c/x" }.Select(repository => bench.Server.Content.Tags(repository).Count));
    }

    [Fact]
    [ReliabilityCase("Tags", "Ctrl+C just after an image in the local store was named", "the names are reported")]
    public async Task NamesInTheLocalStoreAreReported()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var registry = RegistryBench.For(bench.Server);

        await bench.Publisher(registry.Client).PublishAsync(bench.Request("1", "2") with { Destinations = [] }, PublishingBench.Cancel);

        Assert.Equal(["tagged acme/shop:1", "tagged acme/shop:2"], registry.Log.Changes);
    }

    [Fact]
    [ReliabilityCase(
        "Prune",
        "Ctrl+C between two images that are removed from a registry",
        "the current removal is finished, no other one starts, and what was removed is reported"
    )]
    public async Task ACancelledRemovalReportsWhatIsGone()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Time = TimeProvider.System;
        using var kept = new TestStore();
        using var user = new CancellationTokenSource();
        bench.Server.SeedImage("acme/shop", "1.0.0", "amd64");
        bench.Server.SeedImage("acme/shop", "1.1.0", "arm64");
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestDelete, FaultAction.Custom("the user cancels", async (_, _, next) =>
                {
                    await user.CancelAsync();
                    await next();
                })));

        var pruner = new TagPruner(bench.Client, kept.Store, TimeProvider.System);
        var plan = await pruner.PlanAsync(bench.Repository, new TagPruneRules(Glob.All, 0, null), user.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pruner.RemoveAsync(plan, user.Token));

        var left = Assert.Single(bench.Server.Content.Tags("acme/shop")).Key;
        Assert.Equal([$"removed {bench.Server.Host}/acme/shop:{(left == "1.0.0" ? "1.1.0" : "1.0.0")}"], bench.Log.Changes);
    }

    [Fact]
    [ReliabilityCase("Prune", "the registry refuses the second of several removals", "one error names what was removed and what was not")]
    public async Task AFailedRemovalNamesWhatIsGone()
    {
        await using var bench = await CommandBench.StartAsync();
        bench.Server.SeedImage("acme/shop", "1.0.0", "amd64");
        bench.Server.SeedImage("acme/shop", "1.1.0", "arm64");
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestDelete, FaultAction.Status(403)) { Skip = 1 });

        var pruner = new TagPruner(bench.Client, bench.Kept.Store, TimeProvider.System);
        var plan = await pruner.PlanAsync(
            CommandBench.In(bench.Server, "acme/shop"),
            new TagPruneRules(Glob.All, 0, null),
            CommandBench.Cancel
        );
        var failure = await CommandBench.FailsAsync(DiagnosticCodes.RegistryDenied, () => pruner.RemoveAsync(plan, CommandBench.Cancel));

        var left = Assert.Single(bench.Server.Content.Tags("acme/shop")).Key;
        var gone = left == "1.0.0" ? "1.1.0" : "1.0.0";
        Assert.EndsWith(
            $" Removed: {bench.Server.Host}/acme/shop:{gone}; not removed: {bench.Server.Host}/acme/shop:{left}. Run it again to finish.",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    // Each moves the tags 1, 2 and 3 of a/x, which has none.
    private static Func<Task> Prepare(string command, PublishingBench bench, RegistryBench registry, CancellationToken cancellationToken)
    {
        Tag[] tags = [Tag.Parse("1"), Tag.Parse("2"), Tag.Parse("3")];
        var target = bench.Named("a/x");
        var store = bench.Store();
        switch (command)
        {
            case "publish":
                return () =>
                    bench
                        .Publisher(registry.Client)
                        .PublishAsync(bench.Request("1", "2", "3") with { Destinations = [target] }, cancellationToken);
            case "index":
                var image = bench.Named("dotnet/aspnet").ReferenceTo(Digest.Parse(bench.Server.SeedImage("dotnet/aspnet", "one").Digest));
                var request = new IndexRequest
                {
                    From = [image],
                    Destinations = [target],
                    LocalName = "x",
                    Tags = tags,
                };
                return () =>
                    new IndexPublisher(new PublishContext(registry.Client, store, bench.Log)).PublishAsync(request, cancellationToken);
            case "tag":
                var digest = Digest.Parse(bench.Server.SeedImage("a/x", null!).Digest);
                return () =>
                    new ImageTagger(registry.Client, store).TagAsync(
                        new RegistryImage(target.ReferenceTo(digest)),
                        tags,
                        dryRun: false,
                        cancellationToken
                    );
            default:
                var source = new RegistryImage(bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0")));
                return () =>
                    new ImageCopier(registry.Client, store).CopyAsync(new CopyRequest(source, [target], "x", tags), cancellationToken);
        }
    }

    private static string[] Names(PublishingBench bench, params string[] tags) => [.. tags.Select(tag => $"{bench.Server.Host}/a/x:{tag}")];

    private static Fault AtTag(string tag, FaultAction action) =>
        new(RegistryStep.ManifestPut, action) { When = IsTag(tag), Times = Fault.Always };

    private static Func<RecordedRequest, bool> IsTag(string tag) => request => request.Repository == "a/x" && request.Reference == tag;
}
