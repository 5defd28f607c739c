using ImagePublish.Oci;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Uploads whose connection is cut, and that continue or restart.</summary>
public sealed class ResetUploadTests
{
    private const string Area = "Upload";
    private const int Kib = 1024;

    [Fact]
    [ReliabilityCase(Area, "reset half-way", "continues from the registry's offset")]
    public async Task AfterAResetTheUploadGoesOnWhereItStands()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        await bench.UploadedAsync(1000 * Kib);

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
        var first = bench.Server.Requests.Of(RegistryStep.UploadPatch)[0];
        Assert.Matches("^[1-9][0-9]+-[0-9]+$", first.Header("Content-Range"));
    }

    [Fact]
    [ReliabilityCase(Area, "reset half-way in HTTP/2, together with other streams", "each continues from the registry's offset")]
    public async Task AfterAResetOfHttp2AllUploadsGoOn()
    {
        await using var bench = await UploadBench.StartAsync(options => options.Tls = true);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));
        var image = new RandomImage(layers: 4, layerSize: 3000 * Kib);

        await image.PushAsync(bench.Client, bench.Latest, TestContext.Current.CancellationToken);

        Assert.All(image.Blobs, bench.HasBlob);
        Assert.All(bench.Server.Requests, request => Assert.Equal("HTTP/2", request.Protocol));
    }

    [Fact]
    [ReliabilityCase(Area, "reset half-way, session lost", "restarted")]
    public async Task ASessionThatIsGoneIsBegunAnew()
    {
        await using var bench = await UploadBench.StartAsync(options => options.Uploads.KeepPartial = false);
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(700 * Kib));

        await bench.UploadedAsync(1000 * Kib);

        Assert.Equal(2, bench.CountOf(RegistryStep.UploadPost));
    }

    [Fact]
    [ReliabilityCase(Area, "session 404 on PATCH and PUT", "restarted")]
    public async Task ASessionThatIsGoneInTheMiddleIsBegunAnew()
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ResetAfterRequestBytes(300 * Kib));
        bench.Fail(RegistryStep.UploadPatch, FaultAction.Custom("forgets", (_, _, next) =>
            {
                bench.Server.Content.RemoveUploadSessions();
                return next();
            }), skip: 1);

        await bench.UploadedAsync(1000 * Kib);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000 * Kib)]
    [ReliabilityCase(Area, "disconnect after the last byte", "a HEAD decides; nothing is sent twice")]
    public async Task ADisconnectAfterTheLastByteIsDecidedByAHead(int size)
    {
        await using var bench = await UploadBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ProcessThenReset());

        var push = await bench.UploadedAsync(size);

        Assert.Equal(size, push.UploadedBytes);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
    }

    [Fact]
    [ReliabilityCase(Area, "HTTP/2 stream cancelled by a lost connection", "continues")]
    public async Task ACancellationThatNobodyAskedForIsABrokenLine()
    {
        await using var bench = await UploadBench.StartAsync();
        var layer = new CancelledOnce(RegistryBench.Layer(1000 * Kib));

        await bench.PushAsync(layer);

        bench.HasBlob(layer);
    }

    // As .NET does to a body when the connection of its stream breaks.
    private sealed class CancelledOnce(MemoryBlobSource blob) : BlobSource(blob.Descriptor)
    {
        private int opened;

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            Interlocked.Exchange(ref opened, 1) == 0 ? throw new TaskCanceledException() : blob.OpenAsync(offset, cancellationToken);
    }
}
