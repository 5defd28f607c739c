using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>What is tried again, when, and what is not.</summary>
public sealed class RetryTests
{
    private const string Area = "Retry";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(522)]
    [ReliabilityCase(Area, "408, 425, 429, 499, 500, 502, 503, 504, 522", "tried again up to five times, with increasing pauses")]
    public async Task WhatPassesIsTriedAgain(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { FirstRetryDelay = TimeSpan.FromSeconds(10), MaxRetryDelay = TimeSpan.FromSeconds(1000) };
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(status), times: 4);

        Assert.Null(await bench.Client.FindManifestAsync(bench.Latest, Cancel));

        Assert.Equal(5, bench.CountOf(RegistryStep.ManifestHead));
        var pauses = bench.Log.Progress.Select(told => told.Amount).ToList();
        Assert.Equal(4, pauses.Count);
        Assert.All(pauses.Zip(pauses.Skip(1)), pair => Assert.True(pair.Second > pair.First, string.Join(' ', pauses)));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(406)]
    [InlineData(451)]
    [InlineData(505)]
    [ReliabilityCase(Area, "other 4xx", "never tried again")]
    public async Task WhatStaysIsNotTriedAgain(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.ManifestGet,
            FaultAction.Status(status, """{"errors":[{"code":"DENIED","message":"not for you"}]}""", "application/json"),
            Fault.Always
        );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        Assert.Contains("DENIED: not for you", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, bench.CountOf(RegistryStep.ManifestGet));
    }

    [Fact]
    [ReliabilityCase(Area, "429 with Retry-After in seconds", "waits as asked, and says so")]
    public async Task RetryAfterInSecondsIsHonouredAndTold()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestGet, RegistryDialects.DockerHubAbuse(60));

        await bench.Client.TryGetManifestAsync(bench.Latest, Cancel);

        Assert.Contains(bench.Clock.Waits, wait => wait >= TimeSpan.FromSeconds(60) && wait < TimeSpan.FromSeconds(90));
        var line = Assert.Single(bench.Log.Informations);
        Assert.Contains("60 s", line, StringComparison.Ordinal);
        Assert.Contains("429", line, StringComparison.Ordinal);
        Assert.Contains("Too Many Requests", line, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "429 with Retry-After as a date", "waits until then")]
    public async Task RetryAfterAsADateIsHonoured()
    {
        await using var bench = await RegistryBench.StartAsync();
        var date = DateTimeOffset.UtcNow.AddSeconds(90).ToString("r");
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(429, headers: $"Retry-After: {date}"));

        await bench.Client.FindManifestAsync(bench.Latest, Cancel);

        Assert.Contains(bench.Clock.Waits, wait => wait > TimeSpan.FromSeconds(30) && wait <= TimeSpan.FromSeconds(90));
    }

    [Theory]
    [InlineData("99999999999999999999999")]
    [InlineData("86400")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [ReliabilityCase(Area, "absurd Retry-After", "limited to two minutes, and a line says so")]
    public async Task AnAbsurdRetryAfterIsCut(string value)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(503, headers: $"Retry-After: {value}"));

        await bench.Client.FindManifestAsync(bench.Latest, Cancel);

        Assert.Contains(TimeSpan.FromMinutes(2), bench.Clock.Waits);
        Assert.Contains("longer than the maximum wait", Assert.Single(bench.Log.Informations), StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "permanent 429", "one clear error, IMG4011")]
    public async Task ALimitThatStaysIsTold()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.ManifestGet, RegistryDialects.DockerHubAbuse(1), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.RateLimited, () => bench.Client.GetManifestAsync(bench.Latest, Cancel));

        Assert.Equal(5, bench.CountOf(RegistryStep.ManifestGet));
    }

    [Fact]
    [ReliabilityCase(Area, "503 with HTML", "the title is shown, not the page")]
    public async Task AnHtmlPageIsToldByItsTitle()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(
            RegistryStep.ManifestGet,
            FaultAction.Status(
                503,
                "<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>",
                "text/html"
            ),
            Fault.Always
        );

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryFailed, () =>
            bench.Client.GetManifestAsync(bench.Latest, Cancel)
        );

        Assert.Contains("Service Temporarily Unavailable", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("<", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "host name that does not exist (DNS)", "one clear error, IMG4001, at once")]
    public async Task AnUnknownNameIsTold()
    {
        await using var bench = await RegistryBench.StartAsync();

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.Client.GetManifestAsync(Reference.Parse("registry.invalid/acme/shop:1"), Cancel)
        );

        Assert.Equal(DiagnosticCodes.RegistryUnreachable, failure.Code);
        Assert.Contains("registry.invalid", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "no server listens", "two tries, then IMG4001")]
    public async Task ARegistryThatNeverWasThereIsToldSoon()
    {
        await using var bench = await RegistryBench.StartAsync();
        var nowhere = Repository.Create(Registry.Parse($"localhost:{Ports.Free()}"), "acme/shop").ReferenceTo(Tag.Parse("latest"));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryUnreachable, () =>
            bench.Client.GetManifestAsync(nowhere, Cancel)
        );

        Assert.Contains("runs", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "registry restarted in the middle", "continues when it is back")]
    public async Task ARegistryThatRestartsIsWaitedFor()
    {
        var port = Ports.Free();
        await using var bench = await RegistryBench.StartAsync(options => options.Port = port);
        // However long a busy machine takes to start it again.
        bench.Options = bench.Options with { MaxTries = 100_000, RetryBudget = 100_000 };
        await bench.Client.FindManifestAsync(bench.Latest, Cancel);
        await bench.StopServerAsync();

        var push = bench.PushAsync(RegistryBench.Layer(1000));
        await Task.Delay(100, Cancel);
        await using var again = await TestRegistry.StartAsync(options => options.Port = port, Cancel);

        Assert.Equal(BlobPushKind.Uploaded, (await push).Kind);
    }

    [Fact]
    [ReliabilityCase(Area, "cancelled during a pause", "stops at once, without more requests")]
    public async Task CancellingEndsAPause()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { MaxRetryAfter = TimeSpan.FromDays(30) };
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(503, headers: "Retry-After: 2000000"), Fault.Always);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var find = bench.Client.FindManifestAsync(bench.Latest, stop.Token);
        while (bench.Log.Informations.IsEmpty)
            await Task.Delay(5, Cancel);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find);
        Assert.Equal(1, bench.CountOf(RegistryStep.ManifestHead));
    }

    [Fact]
    [ReliabilityCase(Area, "Set-Cookie", "never sent back")]
    public async Task CookiesAreNotKept()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.ResponseHeaders["Set-Cookie"] = "sid=1; Path=/");

        await new RandomImage(layers: 2).PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.All(bench.Server.Requests, request => Assert.Null(request.Header("Cookie")));
    }

    [Fact]
    [ReliabilityCase(Area, "everything fails", "a retry budget ends it without a request storm")]
    public async Task TheBudgetEndsAStormOfRetries()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { RetryBudget = 10 };
        await bench.Client.FindManifestAsync(bench.Latest, Cancel);
        bench.Fail(RegistryStep.ManifestHead, FaultAction.Status(500), Fault.Always);
        bench.Server.Requests.Clear();

        var finds = Enumerable
            .Range(0, 50)
            .Select(_ => Assert.ThrowsAsync<ImagePublishException>(() => bench.Client.FindManifestAsync(bench.Latest, Cancel)));
        await Task.WhenAll(finds);

        Assert.InRange(bench.CountOf(RegistryStep.ManifestHead), 50, 61);
    }

    [Fact]
    [ReliabilityCase(Area, "reset, truncated or garbled answer", "tried again")]
    public async Task ABrokenAnswerIsAskedForAgain()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = new RandomImage(layers: 1);
        image.PutInto(bench.Server.Content, bench.Repository.Name, "latest");
        bench.Fail(RegistryStep.ManifestGet, FaultAction.Reset());
        bench.Fail(RegistryStep.ManifestGet, FaultAction.TruncateResponse(20), skip: 1);
        bench.Fail(RegistryStep.ManifestGet, FaultAction.TruncateResponse(0), skip: 2);

        await image.PullAndCompareAsync(bench.Client, bench.Latest, Cancel);
    }
}
