using ImagePublish.LayerReuse;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Publishing;

/// <summary>What was published before saves all work, and is never believed where something changed.</summary>
public sealed class UpToDateCheckTests
{
    private const string Recognised = "Neither the files nor the base image nor a tag changed";

    [Fact]
    public async Task TheSameRequestIsRecognisedWithoutMakingTheImage()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0", "latest"));

        var second = await bench.PublishAsync(bench.Request("1.0", "latest"));

        Assert.Contains(Recognised, bench.Log.ToString(), StringComparison.Ordinal);
        Assert.True(second.IsUnchanged);
        Assert.Equal(3, bench.Server.Requests.Count);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
        Assert.Equal(first.Image.Size, second.Image.Size);
        Assert.Equal(first.Image.Platform, second.Image.Platform);
        Assert.Equal(
            first.Image.Layers.Select(layer => (layer.Descriptor.Digest, layer.Descriptor.Size, layer.DiffId)),
            second.Image.Layers.Select(layer => (layer.Descriptor.Digest, layer.Descriptor.Size, layer.DiffId))
        );
        Assert.Equal(OciJson.Write(first.Image.Config), OciJson.Write(second.Image.Config));
    }

    [Fact]
    public async Task AFileThatChangedIsNoticedWhereItsLengthAndTimeAreTheSame()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("App.dll", "one");
        await bench.PublishAsync(bench.Request("1.0"));
        // An hour later, the files have not changed for long enough.
        var later = new StoreOptions { Time = new MovableClock(DateTimeOffset.UtcNow + TimeSpan.FromHours(1)) };
        var store = ImageStore.Open(Path.Combine(bench.PublishFolder, "..", "store-here"), later);
        var first = await RememberedTags.OpenAsync(store, bench.PublishFolder, PublishingBench.Cancel);
        await new PublishedFiles(bench.Request("1.0"), first, PublishingBench.Cancel).ReadAsync();
        var second = await RememberedTags.OpenAsync(store, bench.PublishFolder, PublishingBench.Cancel);
        await new PublishedFiles(bench.Request("1.0"), second, PublishingBench.Cancel).ReadAsync();
        Assert.NotNull(first!.Fingerprints.Remember());
        Assert.Null(second!.Fingerprints.Remember());
        var again = await bench.PublishAsync(bench.Request("1.0"));
        var path = Path.Combine(bench.PublishFolder, "App.dll");
        var modified = File.GetLastWriteTimeUtc(path);
        bench.Write("App.dll", "two");
        File.SetLastWriteTimeUtc(path, modified);

        var changed = await bench.PublishAsync(bench.Request("1.0"));

        Assert.True(again.IsUnchanged);
        Assert.False(changed.IsUnchanged);
        Assert.NotEqual(again.Image.Digest, changed.Image.Digest);
    }

    [Fact]
    public async Task ARegistryThatIsFarAwayIsWaitedForOnce()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0", "latest"));
        await using var registries = RegistryBench.For(bench.Server);
        await registries.Client.SignInEarlyAsync(bench.Named("acme/shop"), PublishingBench.Cancel);
        // The base and both tags: none is answered before all have been asked for.
        var waiting = 0;
        var all = new TaskCompletionSource();
        bench.Server.Faults.Add(new Fault(RegistryStep.ManifestHead, FaultAction.Custom("waits for the others", async (_, _, next) =>
                {
                    if (Interlocked.Increment(ref waiting) == 3)
                        all.SetResult();
                    await all.Task.WaitAsync(TimeSpan.FromSeconds(20), PublishingBench.Cancel);
                    await next();
                })) { Times = Fault.Always });

        var second = await bench.Publisher(registries.Client).PublishAsync(bench.Request("1.0", "latest"), PublishingBench.Cancel);

        Assert.True(second.IsUnchanged);
        Assert.Equal(3, waiting);
    }

    [Fact]
    public async Task WhereFilesHaveChangedTheTagIsNotWaitedFor()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("App.dll", "app 2");
        var meeting = new Meeting("HEAD of the tag", "PUT of the layer");
        bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestHead, meeting.Attend("HEAD of the tag"))
            {
                When = request => request.Path.EndsWith("/acme/shop/manifests/1.0", StringComparison.Ordinal),
            }
        );
        bench.Server.Faults.Add(new Fault(RegistryStep.UploadPut, meeting.Attend("PUT of the layer")));

        await using var registries = RegistryBench.For(bench.Server);
        await registries.Client.SignInEarlyAsync(bench.Named("acme/shop"), PublishingBench.Cancel);
        var changed = await bench.Publisher(registries.Client).PublishAsync(bench.Request("1.0"), PublishingBench.Cancel);

        meeting.AssertTookPlace();
        Assert.Equal(changed.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task AFileThatKeepsItsLengthAndItsTimesIsStillSeenToHaveChanged()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        var path = Path.Combine(bench.PublishFolder, "App.dll");
        var times = (File.GetLastWriteTimeUtc(path), File.GetLastAccessTimeUtc(path));
        bench.Write("App.dll", "app 2");
        File.SetLastWriteTimeUtc(path, times.Item1);
        File.SetLastAccessTimeUtc(path, times.Item2);

        var second = await bench.PublishAsync(bench.Request("1.0"));

        Assert.False(second.IsUnchanged);
        Assert.NotEqual(first.Image.Digest, second.Image.Digest);
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task AFileThatWasOnlyTouchedIsTheSameFile()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        File.SetLastWriteTimeUtc(Path.Combine(bench.PublishFolder, "App.dll"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        var second = await bench.PublishAsync(bench.Request("1.0"));

        Assert.True(second.IsUnchanged);
        Assert.Contains(Recognised, bench.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANewFileAndOneThatIsGoneAreSeen()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("New.dll", "");

        var second = await bench.PublishAsync(bench.Request("1.0"));
        File.Delete(Path.Combine(bench.PublishFolder, "New.dll"));
        var third = await bench.PublishAsync(bench.Request("1.0"));

        Assert.NotEqual(first.Image.Digest, second.Image.Digest);
        Assert.Equal(first.Image.Digest, third.Image.Digest);
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ALabelIsSeen()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        var request = bench.Request("1.0");

        var second = await bench.PublishAsync(request with { Spec = request.Spec with { Labels = [KeyValuePair.Create("team", "blue")] } });

        Assert.False(second.IsUnchanged);
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task AnImageThatTheRegistryLostIsPublishedAgain()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0", "latest"));
        bench.Server.Content.RemoveTag("acme/shop", "1.0");

        var second = await bench.PublishAsync(bench.Request("1.0", "latest"));

        Assert.False(second.IsUnchanged);
        Assert.Equal(first.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task ABaseThatMovedIsSeen()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "newer"))], Seeding.ConfigOf("amd64"));

        var second = await bench.PublishAsync(bench.Request("1.0"));

        Assert.NotEqual(first.Image.Digest, second.Image.Digest);
        Assert.Equal(second.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    public async Task WhatIsLostOfTheRecordsIsOnlyMadeAgain()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0"));
        var records = Directory.GetFiles(bench.Store().Disk.Layout.RecordsFolder, "*", SearchOption.AllDirectories);
        foreach (var file in records)
            await File.WriteAllTextAsync(file, "damaged", TestContext.Current.CancellationToken);

        var second = await bench.PublishAsync(bench.Request("1.0"));

        Assert.NotEmpty(records);
        Assert.DoesNotContain(Recognised, bench.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
    }
}
