using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Uploads that go on after a setback, in chunks.</summary>
public sealed class ChunkedUploadTests
{
    private const string Area = "Upload";
    private const int Kib = 1024;

    [Fact]
    [ReliabilityCase(Area, "reset half-way", "goes on from the registry's offset")]
    public async Task AfterAResetTheUploadGoesOnWhereItStands()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        await UploadedAsync(bench, 1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
        var first = bench.Server.Requests.Of(RegistryStep.UploadPatch)[0];
        Assert.Matches("^[1-9][0-9]+-[0-9]+$", first.Header("Content-Range"));
    }

    [Fact]
    [ReliabilityCase(Area, "reset half-way in HTTP/2, other streams with it", "each goes on from the registry's offset")]
    public async Task AfterAResetOfHttp2AllUploadsGoOn()
    {
        await using var bench = await BenchAsync(options => options.Tls = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));
        var image = new TestImage(layers: 4, layerSize: 3000 * Kib);

        await image.PushAsync(bench.Client, bench.Latest, TestContext.Current.CancellationToken);

        Assert.All(image.Blobs, bench.HasBlob);
        Assert.All(bench.Server.Requests, request => Assert.Equal("HTTP/2", request.Protocol));
    }

    [Fact]
    [ReliabilityCase(Area, "reset half-way, session lost", "begun anew")]
    public async Task ASessionThatIsGoneIsBegunAnew()
    {
        await using var bench = await BenchAsync(options => options.Uploads.KeepPartial = false);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        await UploadedAsync(bench, 1000 * Kib);

        Assert.Equal(2, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "session 404 on PATCH and PUT", "begun anew")]
    public async Task ASessionThatIsGoneInTheMiddleIsBegunAnew()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Custom("forgets", (_, _, next) =>
        {
            bench.Server.Content.RemoveUploadSessions();
            return next();
        }), skip: 1);

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "413", "goes on in chunks small enough")]
    public async Task AProxyWithASmallLimitIsServedSmallChunks()
    {
        await using var bench = await BenchAsync(options => options.MaxRequestBodyBytes = 200 * Kib);

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "413 for large bodies, nginx's 1 MB", "asked first by Expect: nothing is sent in vain")]
    public async Task ALargeBodyIsNotSentInVain()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.MaxRequestBodyBytes = 1 << 20);

        var push = await UploadedAsync(bench, 9 << 20);

        Assert.Equal(9 << 20, push.UploadedBytes);
    }

    [Fact]
    [ReliabilityCase(Area, "413 for everything", "one clear error, IMG4009, session deleted")]
    public async Task AProxyThatTakesNothingIsAnError()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.Status(413, "<html><head><title>413 Request Entity Too Large</title></head></html>", "text/html"), Fault.Always);
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Status(413), Fault.Always);

        await RegistryBench.FailsAsync(DiagnosticCodes.TooLarge, () => bench.PushAsync(RegistryBench.Layer(1000 * Kib)));
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase(Area, "416 with Range", "goes on from there")]
    public async Task ARefusedRangeIsMended()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        // The status lies once: the registry has more than it says.
        bench.Fail(RegistryStep.UploadStatus, FaultAction.SetHeader("Range", "0-999"));

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "416 for chunks that are too large", "smaller chunks")]
    public async Task ChunksThatAreTooLargeAreHalved()
    {
        await using var bench = await BenchAsync(options => options.Uploads.ChunkMaxLength = 130 * Kib);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));

        await UploadedAsync(bench, 1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "stuck Range", "trusted once, the next answer decides")]
    public async Task ARangeThatSticksIsIgnored()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        var first = "";
        bench.Fail(RegistryStep.UploadPatch, FaultAction.ChangeHeader("Range", (_, value) => first = first.Length > 0 ? first : value!), Fault.Always);

        await UploadedAsync(bench, 1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "chunk answered 202 and dropped", "begun anew, whole")]
    public async Task AChunkThatIsTakenAndLostIsSentAgain()
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Status(202), skip: 1);

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "`bytes=0-N`", "read like `0-N`")]
    public async Task ARangeWithAUnitIsRead()
    {
        await using var bench = await BenchAsync(options => options.Uploads.RangeWithUnit = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        var push = await UploadedAsync(bench, 1000 * Kib);

        Assert.InRange(push.UploadedBytes, 1000 * Kib, 1900 * Kib);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
    }

    [Theory]
    [InlineData(RegistryStep.UploadStatus)]
    [InlineData(RegistryStep.UploadPatch)]
    [ReliabilityCase(Area, "Range beyond what was sent", "begun anew")]
    public async Task ARangeBeyondWhatWasSentIsNotBelieved(RegistryStep step)
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(100 * Kib));
        bench.Fail(step, FaultAction.SetHeader("Range", "0-99999999"));

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Theory]
    [InlineData("0-0")]
    [InlineData("0-00000000000000000000000000")]
    [InlineData("garbage")]
    [InlineData("bytes 5-9")]
    [InlineData(null)]
    [ReliabilityCase(Area, "status Range `0-0` or unreadable", "begun at 0, or anew")]
    public async Task AnAmbiguousRangeIsMended(string? range)
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        bench.Fail(RegistryStep.UploadStatus, FaultAction.ChangeHeader("Range", (_, _) => range));

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Theory]
    [InlineData(500 * Kib)]
    [InlineData(long.MaxValue)]
    [ReliabilityCase(Area, "absurd OCI-Chunk-Min-Length", "honoured up to 100 MiB and the blob's end")]
    public async Task AChunkMinimumIsHonoured(long minimum)
    {
        await using var bench = await BenchAsync(options => options.Uploads.ChunkMinLength = minimum);
        bench.Fail(RegistryStep.UploadPut, FaultAction.Status(413));

        await UploadedAsync(bench, 1000 * Kib);

        Assert.All(bench.Server.Requests.Of(RegistryStep.UploadPatch).SkipLast(1), patch => Assert.True(patch.BodyBytes >= Math.Min(minimum, 1000 * Kib)));
    }

    [Fact]
    [ReliabilityCase(Area, "chunks refused altogether", "the whole is sent again")]
    public async Task ARegistryWithoutChunksGetsTheWholeAgain()
    {
        await using var bench = await BenchAsync(options => options.Uploads.RefuseRanges = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib), times: 2);

        await UploadedAsync(bench, 1000 * Kib);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000 * Kib)]
    [ReliabilityCase(Area, "disconnect after the last byte", "a HEAD decides; nothing is sent twice")]
    public async Task ADisconnectAfterTheLastByteIsDecidedByAHead(int size)
    {
        await using var bench = await BenchAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ProcessThenReset());

        var push = await UploadedAsync(bench, size);

        Assert.Equal(size, push.UploadedBytes);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
    }

    [Fact]
    [ReliabilityCase(Area, "stalled", "given up when nothing moves, and resumed")]
    public async Task AStalledUploadIsResumed()
    {
        await using var bench = await BenchAsync();
        bench.Options = bench.Options with { IdleTimeout = TimeSpan.FromSeconds(1500) };
        bench.Fail(RegistryStep.UploadPut, FaultAction.StallAfterRequestBytes(200 * Kib));

        await UploadedAsync(bench, 500 * Kib);
    }

    [Fact]
    [ReliabilityCase(Area, "stalled, and the session with it", "begun anew")]
    public async Task AStalledSessionIsLeft()
    {
        await using var bench = await BenchAsync();
        bench.Options = bench.Options with { IdleTimeout = TimeSpan.FromSeconds(1000), TidyTimeout = TimeSpan.FromSeconds(500) };
        // More than the server buffers: it never learns that the client is gone, and keeps the session locked.
        bench.Fail(RegistryStep.UploadPut, FaultAction.StallAfterRequestBytes(200 * Kib));
        var layer = RegistryBench.Layer(8000 * Kib);

        await bench.PushAsync(layer);

        bench.HasBlob(layer);
    }

    [Fact]
    [ReliabilityCase(Area, "slow but moving for hours", "no limit on the whole, only on standing still")]
    public async Task ASlowUploadThatMovesIsNeverGivenUp()
    {
        await using var bench = await BenchAsync();
        // The upload takes about two seconds, twice as long as nothing may move.
        bench.Options = bench.Options with { IdleTimeout = TimeSpan.FromSeconds(1000), ParallelBlobs = 1 };
        var layer = new Trickle(RegistryBench.Layer(512 * Kib), pieces: 40, TimeSpan.FromMilliseconds(50));

        await bench.PushAsync(layer);

        bench.HasBlob(layer);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
    }

    private static async Task<RegistryBench> BenchAsync(Action<TestRegistryOptions>? configure = null)
    {
        var bench = await RegistryBench.StartAsync(configure);
        bench.Options = bench.Options with { ChunkSize = 256 * Kib };
        return bench;
    }

    private static async Task<BlobPush> UploadedAsync(RegistryBench bench, int size)
    {
        var layer = RegistryBench.Layer(size);
        var push = await bench.PushAsync(layer);
        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
        return push;
    }

    private sealed class Trickle(MemoryBlobSource blob, int pieces, TimeSpan pause) : BlobSource(blob.Descriptor)
    {
        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new TrickleStream(blob.Content[(int)offset..], (int)(blob.Descriptor.Size / pieces), pause));
    }

    private sealed class TrickleStream(ReadOnlyMemory<byte> bytes, int piece, TimeSpan pause) : MemoryStream(bytes.ToArray(), writable: false)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(pause, cancellationToken);
            return await base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
        }

        public override string ToString() => piece.ToString(CultureInfo.InvariantCulture);
    }
}
