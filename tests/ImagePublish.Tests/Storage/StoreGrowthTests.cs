using System.Security.Cryptography;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

/// <summary>When a publish looks at the whole store to keep it within its limit.</summary>
public sealed class StoreGrowthTests : IDisposable
{
    private const string Area = "Prune";
    private const long Limit = 100_000;

    private readonly TestStore test = new(options => options with { GracePeriod = TimeSpan.Zero });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string GrowthFile => test.Store.Disk.Layout.GrowthFile;

    public void Dispose() => test.Dispose();

    [Fact]
    [ReliabilityCase(Area, "many publishes a day, with a store below its limit", "its blobs are not scanned again before a day has passed")]
    public async Task AStoreBelowItsLimitIsLookedAtOnceADay()
    {
        Assert.NotNull(await test.Store.KeepWithinAsync(Limit, Cancel));
        for (var publish = 0; publish < 20; publish++)
        {
            await PutAsync(4_000);
            Assert.Null(await test.Store.KeepWithinAsync(Limit, Cancel));
            test.Clock.Advance(TimeSpan.FromHours(1));
        }

        test.Clock.Advance(TimeSpan.FromHours(5));
        Assert.NotNull(await test.Store.KeepWithinAsync(Limit, Cancel));
        Assert.Null(await test.Store.KeepWithinAsync(Limit, Cancel));
    }

    [Fact]
    public async Task AStoreThatMayBeAboveItsLimitIsLookedAtAtOnceAndHasRoomAfterwards()
    {
        await test.Store.KeepWithinAsync(Limit, Cancel);
        for (var publish = 0; publish < 26; publish++)
        {
            await PutAsync(4_000);
            test.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var pruned = await test.Store.KeepWithinAsync(Limit, Cancel);

        Assert.NotNull(pruned);
        Assert.InRange(pruned.RemainingBytes, Limit * 8 / 10, Limit * 9 / 10);
        await PutAsync(4_000);
        Assert.Null(await test.Store.KeepWithinAsync(Limit, Cancel));
    }

    [Fact]
    public async Task AStoreThatImagesFillIsNotLookedAtEachTime()
    {
        var image = await test.PutImageAsync("amd64", new string('a', 150_000));
        await test.Store.SetReferenceAsync("acme/shop:1", image, Cancel);
        test.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty((await test.Store.KeepWithinAsync(Limit, Cancel))!.Blobs);

        await PutAsync(4_000);

        Assert.Null(await test.Store.KeepWithinAsync(Limit, Cancel));
        await PutAsync(7_000);
        test.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, (await test.Store.KeepWithinAsync(Limit, Cancel))!.Blobs.Count);
        Assert.True(Assert.Single(await test.Store.ListAsync(Cancel)).IsWhole);
    }

    [Theory]
    [InlineData("")]
    [InlineData("damaged")]
    [InlineData("99999999999999999999\n1\n")]
    [InlineData("9999999999\n1\n")]
    public async Task ADamagedRecordOnlyMeansThatTheStoreIsLookedAt(string record)
    {
        await test.Store.KeepWithinAsync(Limit, Cancel);
        await File.WriteAllTextAsync(GrowthFile, record, Cancel);

        Assert.NotNull(await test.Store.KeepWithinAsync(Limit, Cancel));
        Assert.Null(await test.Store.KeepWithinAsync(Limit, Cancel));
    }

    [Fact]
    [ReliabilityCase(Area, "a killed process left a lock file", "it is deleted a day later")]
    public async Task WhatKilledProcessesLeftOfLocksIsDeleted()
    {
        var left = Path.Combine(test.Store.Disk.Layout.LocksFolder, "left");
        Directory.CreateDirectory(test.Store.Disk.Layout.LocksFolder);
        await File.WriteAllTextAsync(left, "", Cancel);
        File.SetLastWriteTimeUtc(left, test.Clock.GetUtcNow().UtcDateTime);
        test.Clock.Advance(TimeSpan.FromHours(23));
        await test.Store.PruneAsync(new PruneOptions(), Cancel);
        Assert.True(File.Exists(left));
        test.Clock.Advance(TimeSpan.FromHours(2));

        await test.Store.PruneAsync(new PruneOptions(), Cancel);

        Assert.False(File.Exists(left));
    }

    private Task<FileBlobSource> PutAsync(int size) =>
        test.Store.PutAsync(MemoryBlobSource.Create(MediaTypes.OciLayer, RandomNumberGenerator.GetBytes(size)), Cancel);
}
