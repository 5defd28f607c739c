using System.Collections.Concurrent;
using System.Collections.Immutable;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Blobs;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Registries;

/// <summary>What a push costs, and what it never does twice.</summary>
public sealed class PushTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImageArrivesAndCanBePulled()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = new RandomImage();

        await image.PushAsync(bench.Client, bench.Latest, Cancel);
        await image.PullAndCompareAsync(bench.Client, bench.Latest, Cancel);

        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase("Push", "six layers and a config into an empty repository", "at most 25 requests, one token, no orphaned upload")]
    public async Task AColdPushOfSixLayersTakesAtMost25RequestsAndOneToken()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Auth.Schemes = AuthSchemes.Bearer;
            options.Auth.Users["me"] = "secret";
        });
        bench.Credential = Credential.Create("me", "secret");

        await new RandomImage().PushAsync(bench.Client, bench.Latest, Cancel);

        Assert.InRange(bench.Server.Requests.Count, 1, 25);
        Assert.Equal(1, bench.CountOf(RegistryStep.Token));
        bench.HasNoOpenUpload();
    }

    [Fact]
    public async Task ASecondPushSendsNoBlob()
    {
        await using var bench = await RegistryBench.StartAsync();
        var image = new RandomImage();
        await image.PushAsync(bench.Client, bench.Latest, Cancel);
        await using var second = RegistryBench.For(bench.Server);
        bench.Server.Requests.Clear();

        await image.PushAsync(second.Client, second.Latest, Cancel);

        Assert.Equal(7, bench.CountOf(RegistryStep.BlobHead));
        Assert.Equal(8, bench.Server.Requests.Count);
    }

    [Fact]
    public async Task TheUploadOfABlobThatIsLikelyNewIsOpenedWhileTheRegistryIsAskedForIt()
    {
        await using var bench = await RegistryBench.StartAsync();
        var locations = await KnownToAsync(bench);
        await bench.Client.SignInEarlyAsync(bench.Repository, Cancel);
        var meeting = new Meeting("HEAD", "POST");
        bench.Fail(RegistryStep.BlobHead, meeting.Attend("HEAD"));
        bench.Fail(RegistryStep.UploadPost, meeting.Attend("POST"));

        var layer = RegistryBench.Layer(1000);
        var push = await bench.Blobs.PushAsync(bench.Repository, layer, locations, Cancel);

        meeting.AssertTookPlace();
        Assert.Equal(new BlobPushResult(BlobPushKind.Uploaded, 1000) { WasAbsent = true }, push);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase("Push", "a blob that is likely new, and there all the same", "not one byte of it is sent, and no upload stays open")]
    public async Task AnUploadThatWasOpenedInVainIsDeleted()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(1000);
        await bench.PushAsync(layer);
        bench.Server.Requests.Clear();
        await using var other = RegistryBench.For(bench.Server);

        var push = await other.Blobs.PushAsync(other.Repository, layer, await KnownToAsync(other), Cancel);

        Assert.Equal(BlobPushResult.Existing, push);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPost));
        Assert.Equal(0, bench.CountOf(RegistryStep.UploadPut));
        bench.HasNoOpenUpload();
    }

    [Theory]
    [InlineData(503)]
    [InlineData(403)]
    public async Task ABlobIsUploadedWhereItCouldNotBeOpenedAhead(int status)
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Fail(RegistryStep.UploadPost, FaultAction.Status(status));
        var layer = RegistryBench.Layer(1000);

        var push = await bench.Blobs.PushAsync(bench.Repository, layer, await KnownToAsync(bench), Cancel);

        Assert.Equal(BlobPushKind.Uploaded, push.Kind);
        Assert.Equal(2, bench.CountOf(RegistryStep.UploadPost));
        bench.HasBlob(layer);
    }

    // What this build itself has seen in a repository says nothing of what else is there.
    [Fact]
    public async Task NothingIsOpenedAheadInARepositoryThatIsNewToTheMachine()
    {
        await using var bench = await RegistryBench.StartAsync();
        BlobSource[] layers = [RegistryBench.Layer(1000, seed: 1), RegistryBench.Layer(1000, seed: 2)];
        foreach (var layer in layers)
            await bench.PushAsync(layer);
        bench.Server.Requests.Clear();
        await using var other = RegistryBench.For(bench.Server);
        var locations = new SharedLocations();

        foreach (var layer in layers)
            await other.Blobs.PushAsync(other.Repository, layer, locations, Cancel);

        Assert.Equal(2, bench.Server.Requests.Count);
    }

    // A machine that has published to the repository before.
    private static async Task<SharedLocations> KnownToAsync(RegistryBench bench)
    {
        var locations = new SharedLocations();
        await locations.RememberAsync(RegistryBench.Layer(10, seed: 99).Descriptor.Digest, bench.Repository, Cancel);
        return locations;
    }

    [Fact]
    public async Task TwoPushesOfOneBlobAtOnceSendItOnce()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(100_000);

        var pushes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => bench.PushAsync(layer)));

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
        Assert.Equal(1, bench.CountOf(RegistryStep.BlobHead));
        var uploaded = new BlobPushResult(BlobPushKind.Uploaded, 100_000) { WasAbsent = true };
        Assert.Equal(uploaded, Assert.Single(pushes, push => push.Kind == BlobPushKind.Uploaded));
    }

    [Fact]
    [ReliabilityCase("Push", "cancelled in the middle of an upload", "the session is deleted; others that wait for the same blob push it")]
    public async Task WhoWaitsForAPushThatIsCancelledPushesItself()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(100_000);
        var stall = bench.Fail(RegistryStep.UploadPut, FaultAction.Stall());
        using var first = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var cancelled = bench.Client.PushBlobAsync(bench.Repository, layer, first.Token);
        var patient = bench.PushAsync(layer);
        while (stall.Hits == 0)
            await Task.Delay(5, Cancel);

        await first.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(BlobPushKind.Uploaded, (await patient).Kind);
        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
    }

    [Fact]
    [ReliabilityCase(
        "Push",
        "cancelled while waiting after a mount that was not performed",
        "the session that the registry opened is deleted"
    )]
    public async Task APushThatIsCancelledWhileItWaitsDeletesTheSessionOfItsMount()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.Uploads.Mount = false);
        bench.Options = bench.Options with { ParallelBlobs = 1 };
        var (uploading, waiting) = (RegistryBench.Layer(1000, seed: 1), RegistryBench.Layer(1000, seed: 2));
        var locations = new SharedLocations();
        await locations.RememberAsync(waiting.Descriptor.Digest, bench.Named("acme/web"), Cancel);
        var stall = bench.Fail(RegistryStep.UploadPut, FaultAction.Stall());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var first = bench.Client.PushBlobAsync(bench.Repository, uploading, stop.Token);
        while (stall.Hits == 0)
            await Task.Delay(5, Cancel);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var second = bench.Blobs.PushAsync(bench.Repository, waiting, locations, impatience.Token);
        while (!bench.Log.Progress.Contains(("sending", waiting.Descriptor.Digest.Value, 1000)))
            await Task.Delay(5, Cancel);

        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(1, bench.CountOf(RegistryStep.UploadDelete));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        bench.HasNoOpenUpload();
    }

    [Fact]
    public async Task ABlobPushedToOneRepositoryIsMountedInTheOthers()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(100_000);
        string[] names = ["acme/shop", "acme/web", "acme/api"];

        var pushes = await Task.WhenAll(names.Select(name => bench.Client.PushBlobAsync(bench.Named(name), layer, Cancel)));

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
        Assert.Equal(2, pushes.Count(push => push.Kind == BlobPushKind.Mounted));
        Assert.All(names, name => Assert.True(bench.Server.Content.HasBlob(name, layer.Descriptor.Digest.Value)));
    }

    [Fact]
    public async Task ABlobThatAnotherBuildUploadsToTheSameRepositoryIsNotUploadedAgain()
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var other = RegistryBench.For(bench.Server);
        var layer = RegistryBench.Layer(100_000);
        var locations = new SharedLocations();

        var pushes = await Task.WhenAll(
            bench.Blobs.PushAsync(bench.Repository, layer, locations, Cancel),
            other.Blobs.PushAsync(bench.Repository, layer, locations, Cancel)
        );

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
        Assert.Equal([BlobPushKind.Existing, BlobPushKind.Uploaded], pushes.Select(push => push.Kind).Order());
    }

    [Fact]
    public async Task ABlobThatAnotherBuildUploadsToAnotherRepositoryIsMountedFromThere()
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var other = RegistryBench.For(bench.Server);
        var layer = RegistryBench.Layer(100_000);
        var locations = new SharedLocations();

        var pushes = await Task.WhenAll(
            bench.Blobs.PushAsync(bench.Repository, layer, locations, Cancel),
            other.Blobs.PushAsync(bench.Named("acme/web"), layer, locations, Cancel)
        );

        Assert.Equal(1, bench.CountOf(RegistryStep.UploadPut));
        Assert.Equal([BlobPushKind.Mounted, BlobPushKind.Uploaded], pushes.Select(push => push.Kind).Order());
    }

    [Fact]
    public async Task ABlobThatAnEarlierBuildPushedIsMountedAndNoLockIsAcquired()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(100_000);
        await bench.PushAsync(layer);
        await using var later = RegistryBench.For(bench.Server);
        var locations = new SharedLocations();
        await locations.RememberAsync(layer.Descriptor.Digest, bench.Repository, Cancel);

        var push = await later.Blobs.PushAsync(bench.Named("acme/web"), layer, locations, Cancel);

        Assert.Equal((BlobPushKind.Mounted, bench.Repository), (push.Kind, push.From));
        Assert.Equal(0, locations.Locks);
        Assert.Contains(bench.Named("acme/web"), await locations.FindAsync(layer.Descriptor.Digest, Cancel));
    }

    [Fact]
    public async Task WhereAPushWouldMountFromIsFoundWithoutARequest()
    {
        await using var bench = await RegistryBench.StartAsync();
        var layer = RegistryBench.Layer(1000);
        var locations = new SharedLocations();
        await locations.RememberAsync(layer.Descriptor.Digest, bench.Repository, Cancel);

        Assert.Equal(bench.Repository, await bench.Blobs.FindMountSourceAsync(bench.Named("acme/web"), layer, locations, Cancel));
        Assert.Null(await bench.Blobs.FindMountSourceAsync(bench.Repository, layer, locations, Cancel));
        Assert.Null(
            await bench
                .Client.BlobsOf(Registry.Parse("other:5000"))
                .FindMountSourceAsync(Repository.Create(Registry.Parse("other:5000"), "a"), layer, locations, Cancel)
        );
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    [ReliabilityCase("Push", "200 pushes at once", "all succeed, within the limit of parallel blobs")]
    public async Task TwoHundredPushesAtOnceKeepToTheLimitOfBlobs()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { ParallelBlobs = 4 };
        var images = Enumerable.Range(0, 200).Select(seed => new RandomImage(layers: 2, layerSize: 2000, seed)).ToArray();

        await Task.WhenAll(
            images.Select(
                (image, index) => image.PushAsync(bench.Client, bench.Named($"acme/app{index}").ReferenceTo(Tag.Parse("1")), Cancel)
            )
        );

        Assert.Equal(200, bench.Server.Content.AllTags.Count);
        Assert.InRange(bench.Server.Requests.MaxConcurrent(RegistryStep.UploadPut), 1, 4);
        bench.HasNoOpenUpload();
    }

    [Fact]
    public async Task SmallRequestsDoNotWaitForBlobs()
    {
        await using var bench = await RegistryBench.StartAsync();
        bench.Options = bench.Options with { ParallelBlobs = 1 };
        var image = new RandomImage(layers: 1, seed: 2);
        image.PutInto(bench.Server.Content, "acme/base", "1");
        var stall = bench.Fail(RegistryStep.UploadPut, FaultAction.Stall());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var push = bench.Client.PushBlobAsync(bench.Repository, RegistryBench.Layer(1000), stop.Token);
        while (stall.Hits == 0)
            await Task.Delay(5, Cancel);

        await image.PullAndCompareAsync(bench.Client, bench.Named("acme/base").ReferenceTo(Tag.Parse("1")), Cancel);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => push);
        bench.HasNoOpenUpload();
    }

    [Fact]
    public async Task ABlobIsCopiedFromOneRegistryToAnotherAndMountedWithinOne()
    {
        await using var bench = await RegistryBench.StartAsync();
        await using var other = await TestRegistry.StartAsync(cancellationToken: Cancel);
        var image = new RandomImage(layers: 1);
        image.PutInto(bench.Server.Content, "acme/base", "1");
        var layer = bench.Client.Blob(bench.Named("acme/base"), image.Layers[0].Descriptor);

        var mounted = await bench.PushAsync(layer);
        var copied = await bench.Client.PushBlobAsync(Repository.Create(Registry.Parse(other.Host), "acme/shop"), layer, Cancel);

        Assert.Equal((BlobPushKind.Mounted, BlobPushKind.Uploaded), (mounted.Kind, copied.Kind));
        Assert.True(other.Content.HasBlob("acme/shop", layer.Descriptor.Digest.Value));
    }

    [Fact]
    public async Task ARegistryWithoutCredentialsForItTellsHowToSignIn()
    {
        await using var bench = await RegistryBench.StartAsync(options =>
        {
            options.Auth.Schemes = AuthSchemes.Basic;
            options.Auth.Users["me"] = "secret";
        });

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () => bench.PushAsync(RegistryBench.Layer(10)));

        Assert.Contains("docker login", failure.Message, StringComparison.Ordinal);
    }
}
