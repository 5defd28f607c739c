using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Whether a registry is asked with <c>Expect: 100-continue</c> before a large blob is sent.</summary>
public sealed class ExpectTests
{
    private const string Area = "Upload";
    private const int Mib = 1 << 20;

    [Fact]
    [ReliabilityCase(Area, "`Expect: 100-continue` never answered over HTTP/2 (nginx)", "not sent over HTTP/2: no blob waits for it")]
    public async Task NothingIsAskedOverHttp2()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Tls = true;
            options.AnswersExpect = false;
        });
        // A blob that waited would wait for longer than the test lasts.
        bench.Options = bench.Options with { ContinueTimeout = TimeSpan.FromHours(1) };

        await Task.WhenAll(Enumerable.Range(1, 5).Select(seed => bench.PushAsync(RegistryBench.Layer(2 * Mib, seed))));

        Assert.All(bench.Server.Requests, request => Assert.Equal("HTTP/2", request.Protocol));
        Assert.All(bench.Server.Requests, request => Assert.Null(request.Header("Expect")));
    }

    [Fact]
    [ReliabilityCase(Area, "413 for a large body over HTTP/2", "the upload stops at once and continues in chunks")]
    public async Task ARefusalOverHttp2EndsTheUploadAtOnce()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Tls = true;
            options.MaxRequestBodyBytes = 8 * Mib;
        });

        var push = await bench.UploadedAsync(48 * Mib);

        // What was under way when the refusal came: no more than the server's windows and the buffers in between.
        Assert.InRange(push.UploadedBytes, 48 * Mib, 64 * Mib);
    }

    [Fact]
    [ReliabilityCase(Area, "`Expect: 100-continue` never answered over HTTP/1.1", "asked once, and not again in this build")]
    public async Task AnHttp1RegistryThatDoesNotAnswerIsAskedOnce()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.AnswersExpect = false);
        bench.Options = bench.Options with { ContinueTimeout = TimeSpan.FromMilliseconds(50) };

        for (var seed = 1; seed <= 3; seed++)
            await bench.PushAsync(RegistryBench.Layer(2 * Mib, seed));

        Assert.Equal(
            ["100-continue", null, null],
            bench.Server.Requests.Where(request => request.Step == RegistryStep.UploadPut).Select(request => request.Header("Expect"))
        );
    }

    [Fact]
    public async Task AHostWhoseProtocolIsUnknownIsNotAsked()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.SecondHost = true;
            options.Uploads.OnSecondHost = true;
            options.AnswersExpect = false;
        });
        bench.Options = bench.Options with { ContinueTimeout = TimeSpan.FromHours(1) };

        await bench.PushAsync(RegistryBench.Layer(2 * Mib));

        Assert.All(bench.Server.Requests, request => Assert.Null(request.Header("Expect")));
    }
}
