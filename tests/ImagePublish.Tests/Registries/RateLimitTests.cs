using System.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>A registry that wants fewer requests gets fewer, of all that share a client.</summary>
public sealed class RateLimitTests
{
    private const string Area = "Retry";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "429 with Retry-After to one of many projects of a build",
        "no other request is sent to that registry until then"
    )]
    public async Task WhatOneIsToldHoldsForAll()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Time = TimeProvider.System;
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(429, headers: "Retry-After: 2"), when: IsFirst);
        Assert.Null(await bench.Client.FindManifestAsync(bench.Repository.ReferenceTo(Tag.Parse("warm-up")), Cancel));
        var clock = Stopwatch.StartNew();

        var refused = bench.Client.FindManifestAsync(bench.Repository.ReferenceTo(Tag.Parse("first")), Cancel);
        while (bench.CountOf(RegistryStep.ManifestHead) < 2)
            await Task.Delay(10, Cancel);
        await Task.Delay(200, Cancel);
        var others = Enumerable.Range(0, 10).Select(at => AskAsync(bench, at, clock)).ToList();
        var times = await Task.WhenAll(others);
        await refused;

        Assert.All(times, time => Assert.InRange(time, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(20)));
        // Nothing was refused once more.
        Assert.Equal(13, bench.CountOf(RegistryStep.ManifestHead));
        // One after the other.
        Assert.InRange(times.Max() - times.Min(), TimeSpan.FromMilliseconds(700), TimeSpan.FromSeconds(15));
    }

    [Fact]
    [ReliabilityCase(Area, "429 without Retry-After, several times", "all requests to that registry wait, longer each time")]
    public async Task WithoutATimeThePauseGrows()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(429), times: 3);

        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));

        foreach (var milliseconds in (int[])[500, 1000, 2000])
            Assert.Contains(TimeSpan.FromMilliseconds(milliseconds), bench.Clock.Waits);
    }

    [Fact]
    public async Task AnotherRegistryIsNotHeldBack()
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var other = await TestRegistry.StartAsync(cancellationToken: Cancel);
        bench.Time = TimeProvider.System;
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(429, headers: "Retry-After: 100"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var held = bench.Client.FindManifestAsync(bench.Latest, stop.Token);
        while (bench.CountOf(RegistryStep.ManifestHead) < 1)
            await Task.Delay(10, Cancel);

        var elsewhere = Repository.Create(Registry.Parse(other.Host), "acme/shop").ReferenceTo(Tag.Parse("latest"));
        Assert.Null(await bench.Client.FindManifestAsync(elsewhere, Cancel));

        Assert.False(held.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
    }

    [Fact]
    public async Task WhoeverIsHeldBackCanBeCancelled()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Time = TimeProvider.System;
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(503, headers: "Retry-After: 100"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var first = bench.Client.FindManifestAsync(bench.Latest, stop.Token);
        while (bench.CountOf(RegistryStep.ManifestHead) < 1)
            await Task.Delay(10, Cancel);
        await Task.Delay(200, Cancel);
        var second = bench.Client.FindManifestAsync(bench.Repository.ReferenceTo(Tag.Parse("other")), stop.Token);
        await Task.Delay(200, Cancel);

        Assert.Equal(1, bench.CountOf(RegistryStep.ManifestHead));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task EveryRequestIsCountedForItsHost()
    {
        await using var bench = await RegistryBench.StartAsync();

        await bench.Client.FindManifestAsync(bench.Latest, Cancel);
        await bench.PushAsync(RegistryBench.Layer(1000));

        Assert.Equal(bench.Server.Requests.Count, bench.Log.Requests.GetValueOrDefault(bench.Server.Host));
    }

    private static bool IsFirst(RecordedRequest request) => request.Reference == "first";

    private static async Task<TimeSpan> AskAsync(RegistryBench bench, int number, Stopwatch clock)
    {
        await bench.Client.FindManifestAsync(bench.Repository.ReferenceTo(Tag.Parse($"other-{number}")), Cancel);
        return clock.Elapsed;
    }
}
