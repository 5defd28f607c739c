using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>Uploads that do not go as the specification has it.</summary>
public sealed partial class UploadTests
{
    private const string Area = "Upload";
    private const int Kib = 1024;

    [Fact]
    [ReliabilityCase(Area, "relative Location", "resolved against the registry")]
    public async Task ARelativeLocationIsFollowed()
    {
        await using var bench = await RegistryBench.StartAsync();

        await UploadedAsync(bench, RegistryBench.Layer(1000));
    }

    [Theory]
    [InlineData("%3D")]
    [InlineData("%7E%2f%41&sig=a%2Bb%3d&x=%c3%A9&flag")]
    [ReliabilityCase(Area, "`%2B` in the Location", "kept byte for byte, only `digest` is appended")]
    public async Task TheQueryOfALocationIsKeptByteForByte(string suffix)
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Uploads.StateSuffix = suffix;
            options.Uploads.AbsoluteLocations = true;
        });

        await UploadedAsync(bench, RegistryBench.Layer(1000));
    }

    [Fact]
    [ReliabilityCase(Area, "no Location", "one clear error, IMG4004")]
    public async Task AnUploadWithoutALocationIsAnError()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPost, FaultAction.RemoveHeader("Location"));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () => bench.PushAsync(RegistryBench.Layer(1000)));

        Assert.Contains("without the Location", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "Location on another host", "followed, without credentials")]
    public async Task AnUploadOnAnotherHostGetsNoCredentials()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.SecondHost = true;
            options.Uploads.OnSecondHost = true;
            options.Auth.Schemes = AuthSchemes.Basic;
            options.Auth.Users["me"] = "secret";
        });
        bench.Credential = ImagePublish.Registries.Auth.Credentials.Credential.Create("me", "secret");

        await UploadedAsync(bench, RegistryBench.Layer(1000));

        Assert.All(bench.Server.Requests.Where(request => request.Host == bench.Server.OtherHost), request =>
            Assert.Null(request.Authorization)
        );
    }

    [Fact]
    [ReliabilityCase(Area, "Location leads from https to http elsewhere", "refused, IMG4014")]
    public async Task AnUploadNeverLeavesHttps()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Tls = true;
            options.Uploads.LocationBase = "http://storage.example.com";
        });

        await RegistryBench.FailsAsync(DiagnosticCodes.UnsafeRedirect, () => bench.PushAsync(RegistryBench.Layer(1000)));
    }

    [Fact]
    [ReliabilityCase(Area, "wrong forwarded scheme: http Location of the registry itself", "treated as https")]
    public async Task AnHttpLocationOfTheRegistryItselfIsTakenAsHttps()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Tls = true);
        bench.Server.Options.Uploads.LocationBase = $"http://{bench.Server.Host}";

        await UploadedAsync(bench, RegistryBench.Layer(1000));
    }

    [Fact]
    [ReliabilityCase(Area, "mount answered 202", "that session is used, none is orphaned")]
    public async Task ARefusedMountsSessionIsUsed()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Uploads.Mount = false);
        var layer = Elsewhere(bench, out _);

        var push = await bench.PushAsync(layer);

        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        Assert.Equal(0, bench.CountOf(RegistryStep.UploadPost));
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase(Area, "mount answered 201", "nothing is sent")]
    public async Task AMountedBlobIsNotSent()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = Elsewhere(bench, out _);

        var mounted = new BlobPushResult(BlobPushKind.Mounted, 0) { From = layer.Repository, WasAbsent = true };
        Assert.Equal(mounted, await bench.PushAsync(layer));

        Assert.Equal(0, bench.Server.Requests.UploadedBytes);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(500)]
    [ReliabilityCase(Area, "mount answered 4xx or 5xx", "uploaded normally")]
    public async Task AMountThatFailsIsAnUpload(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.MountPost, FaultAction.Status(status), Fault.Always);
        var layer = Elsewhere(bench, out _);

        Assert.Equal(BlobPushKind.Uploaded, (await bench.PushAsync(layer)).Kind);

        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
    }

    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [InlineData(204)]
    [ReliabilityCase(Area, "final PUT answered 200, 202 or 204", "done once a HEAD confirms it")]
    public async Task OtherSuccessesOfTheLastPutAreSuccesses(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ChangeStatus(status));

        await UploadedAsync(bench, RegistryBench.Layer(1000));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [ReliabilityCase(Area, "final PUT answered 200 or 202, but nothing stored", "one clear error, IMG4004")]
    public async Task AnAcceptedBlobThatIsNotThereIsAnError(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.Status(status));

        await RegistryBench.FailsAsync(DiagnosticCodes.RegistryProtocol, () => bench.PushAsync(RegistryBench.Layer(1000)));
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase(Area, "final PUT returns another digest", "one clear error, IMG4005")]
    public async Task AnotherDigestInTheLastAnswerIsAnError()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.SetHeader("Docker-Content-Digest", Digests.Empty));

        await RegistryBench.FailsAsync(DiagnosticCodes.ContentMismatch, () => bench.PushAsync(RegistryBench.Layer(1000)));
    }

    [Fact]
    [ReliabilityCase(Area, "final PUT answered 400 once", "restarted once")]
    public async Task ALastPutThatIsRefusedOnceIsRepeated()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.Status(400));

        await UploadedAsync(bench, RegistryBench.Layer(1000));
    }

    [Fact]
    [ReliabilityCase(Area, "final PUT answered 400 although the blob was stored", "a HEAD decides")]
    public async Task ALastPutThatIsRefusedAfterAllIsJudgedByAHead()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPut, FaultAction.ProcessThenStatus(400));

        await UploadedAsync(bench, RegistryBench.Layer(1000));
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
    }

    [Fact]
    [ReliabilityCase(Area, "PUT without a PATCH answered 404", "sent with one PATCH instead")]
    public async Task ARegistryThatWantsAPatchGetsOne()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Uploads.PutNeedsPatch = true);

        await UploadedAsync(bench, RegistryBench.Layer(1000));

        var patch = Assert.Single(bench.Server.Requests.Of(RegistryStep.UploadPatch));
        Assert.Null(patch.Header("Content-Range"));
    }

    [Fact]
    [ReliabilityCase(Area, "empty blob", "sent with one PUT")]
    public async Task AnEmptyBlobIsSent()
    {
        await using var bench = await RegistryBench.StartAsync();

        await UploadedAsync(bench, RegistryBench.Layer(0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase(Area, "file changed or cut while uploading", "never completed, IMG3002, session deleted")]
    public async Task AFileThatChangesNeverBecomesABlob(bool isCut)
    {
        await using var bench = await RegistryBench.StartAsync();
        var bytes = RegistryBench.Bytes(600 * Kib);
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(
                path,
                isCut ? bytes[..^1] : [.. bytes[..^1], (byte)~bytes[^1]],
                TestContext.Current.CancellationToken
            );
            var file = new FileBlobSource(MemoryBlobSource.Create("application/octet-stream", bytes).Descriptor, path);

            var failure = await RegistryBench.FailsAsync(DiagnosticCodes.UnreadableFile, () => bench.PushAsync(file));

            Assert.Contains(path, failure.Message, StringComparison.Ordinal);
            Assert.Empty(bench.Server.Content.Blobs(bench.Repository.Name));
            bench.HasNoOpenUpload();
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<BlobPushResult> UploadedAsync(RegistryBench bench, BlobSource layer)
    {
        var push = await bench.PushAsync(layer);
        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
        return push;
    }

    private static BlobSource Elsewhere(RegistryBench bench, out Repository home)
    {
        home = bench.Named("acme/base");
        var layer = RegistryBench.Layer(1000);
        bench.Server.Content.PutBlob(home.Name, layer.Content.Span);
        return new AtHome(layer, home);
    }

    private sealed class AtHome(MemoryBlobSource blob, Repository home) : BlobSource(blob.Descriptor)
    {
        public override Repository Repository => home;

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            blob.OpenAsync(offset, cancellationToken);
    }
}
