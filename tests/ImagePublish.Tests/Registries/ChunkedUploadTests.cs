using ImagePublish.Diagnostics;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Uploads that go on after a setback, in chunks.</summary>
public sealed class ChunkedUploadTests
{
    private const string Area = "Upload";
    private const int Kib = 1024;

    [Fact]
    [ReliabilityCase(Area, "413", "continues in chunks that are small enough")]
    public async Task AProxyWithASmallLimitIsServedSmallChunks()
    {
        await using var bench = await UploadBench.StartAsync(options => options.MaxRequestBodyBytes = 200 * Kib);

        await bench.UploadedAsync(1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "413 for large bodies, nginx's 1 MB", "asked first with Expect: nothing is sent in vain")]
    public async Task ALargeBodyIsNotSentInVain()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.MaxRequestBodyBytes = 1 << 20);

        var push = await bench.UploadedAsync(9 << 20);

        Assert.Equal(9 << 20, push.UploadedBytes);
    }

    [Fact]
    [ReliabilityCase(Area, "413 for everything", "one clear error, IMG4009, session deleted")]
    public async Task AProxyThatTakesNothingIsAnError()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(
            RegistryStep.UploadPut,
            FaultAction.Status(413, "<html><head><title>413 Request Entity Too Large</title></head></html>", "text/html"),
            Fault.Always
        );
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Status(413), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () => bench.PushAsync(RegistryBench.Layer(1000 * Kib)));
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase(Area, "416 with Range", "continues from there")]
    public async Task ARefusedRangeIsMended()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        // The status lies once: the registry has more than it says.
        bench.Fail(RegistryStep.UploadStatus, FaultAction.SetHeader("Range", "0-999"));

        await bench.UploadedAsync(1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "416 for chunks that are too large", "smaller chunks are sent")]
    public async Task ChunksThatAreTooLargeAreHalved()
    {
        await using var bench = await UploadBench.StartAsync(options => options.Uploads.ChunkMaxLength = 130 * Kib);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));

        await bench.UploadedAsync(1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "stuck Range", "trusted once; the next answer decides")]
    public async Task ARangeThatSticksIsIgnored()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        var first = "";
        bench.Fail(
            RegistryStep.UploadPatch,
            FaultAction.ChangeHeader("Range", (_, value) => first = first.Length > 0 ? first : value!),
            Fault.Always
        );

        await bench.UploadedAsync(1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "chunk answered 202 but dropped", "restarted, in one piece")]
    public async Task AChunkThatIsTakenAndLostIsSentAgain()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Status(202), skip: 1);

        await bench.UploadedAsync(1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "`bytes=0-N`", "read as `0-N`")]
    public async Task ARangeWithAUnitIsRead()
    {
        await using var bench = await UploadBench.StartAsync(options => options.Uploads.RangeWithUnit = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        var push = await bench.UploadedAsync(1000 * Kib);

        Assert.InRange(push.UploadedBytes, 1000 * Kib, 1900 * Kib);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Theory]
    [InlineData(RegistryStep.UploadStatus)]
    [InlineData(RegistryStep.UploadPatch)]
    [ReliabilityCase(Area, "Range beyond what was sent", "restarted")]
    public async Task ARangeBeyondWhatWasSentIsNotBelieved(RegistryStep step)
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        bench.Fail(step, FaultAction.SetHeader("Range", "0-99999999"));

        await bench.UploadedAsync(1000 * Kib);
    }

    [Theory]
    [InlineData("0-0")]
    [InlineData("0-00000000000000000000000000")]
    [InlineData("garbage")]
    [InlineData("bytes 5-9")]
    [InlineData(null)]
    [ReliabilityCase(Area, "status Range `0-0` or unreadable", "started at 0, or restarted")]
    public async Task AnAmbiguousRangeIsMended(string? range)
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        bench.Fail(RegistryStep.UploadStatus, FaultAction.ChangeHeader("Range", (_, _) => range));

        await bench.UploadedAsync(1000 * Kib);
    }

    [Theory]
    [InlineData(500 * Kib)]
    [InlineData(long.MaxValue)]
    [ReliabilityCase(Area, "absurd OCI-Chunk-Min-Length", "honoured up to 100 MiB and up to the blob's end")]
    public async Task AChunkMinimumIsHonoured(long minimum)
    {
        await using var bench = await UploadBench.StartAsync(options => options.Uploads.ChunkMinLength = minimum);
        bench.Fail(RegistryStep.UploadPut, FaultAction.Status(413));

        await bench.UploadedAsync(1000 * Kib);

        Assert.All(bench.Server.Requests.Of(RegistryStep.UploadPatch).SkipLast(1), patch =>
            Assert.True(patch.BodyBytes >= Math.Min(minimum, 1000 * Kib))
        );
    }

    [Fact]
    [ReliabilityCase(Area, "chunks refused altogether", "the whole blob is sent again")]
    public async Task ARegistryWithoutChunksGetsTheWholeAgain()
    {
        await using var bench = await UploadBench.StartAsync(options => options.Uploads.RefuseRanges = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib), times: 2);

        await bench.UploadedAsync(1000 * Kib);
    }
}
