using CsCheck;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

public sealed class PruneTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ImageStore Store => test.Store;

    [Fact]
    public async Task WhatNoImageNamesGoesAfterTheGracePeriod()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "shared", "named"), Cancelled);
        await test.PutImageAsync("amd64", "shared", "stray");
        var before = test.Blobs.Count();

        Assert.Empty((await Store.PruneAsync(new PruneOptions { Unreferenced = true }, Cancelled)).Blobs);
        test.Clock.Advance(Day);
        var pruned = await Store.PruneAsync(new PruneOptions { Unreferenced = true }, Cancelled);

        Assert.Equal(3, pruned.Blobs.Count);
        Assert.Equal(before - 3, test.Blobs.Count());
        Assert.True(Assert.Single(await Store.ListAsync(Cancelled)).IsWhole);
    }

    [Fact]
    public async Task ANameGoesWithWhatOnlyItNeeds()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "shared", "first"), Cancelled);
        await Store.SetReferenceAsync("shop:2", await test.PutImageAsync("amd64", "shared", "second"), Cancelled);
        await test.PutImageAsync("amd64", "stray");
        test.Clock.Advance(Day);
        var options = new PruneOptions
        {
            Names = new HashSet<string> { "shop:1", "shop:9" },
        };

        var told = await Store.PruneAsync(options with { DryRun = true }, Cancelled);
        var done = await Store.PruneAsync(options, Cancelled);

        Assert.Equal(told.Blobs, done.Blobs);
        Assert.Equal("shop:1", Assert.Single(done.Images).Name);
        // Its layer, config and manifest; not the shared layer, and not what no image names.
        Assert.Equal(3, done.Blobs.Count);
        Assert.True(Assert.Single(await Store.ListAsync(Cancelled)).IsWhole);
    }

    [Fact]
    public async Task ACachedLayerStaysAsLongAsItIsUsedNowAndThen()
    {
        var blob = MemoryBlobSource.Create(MediaTypes.OciLayer, "layer"u8.ToArray());
        await Store.PutAsync(blob, Cancelled);
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "old"), Cancelled);
        var options = new PruneOptions { MaxUnreferencedAge = 7 * Day };

        for (var use = 0; use < 3; use++)
        {
            test.Clock.Advance(6 * Day);
            Assert.Empty((await Store.PruneAsync(options, Cancelled)).Blobs);
            Assert.NotNull(Store.FindBlob(blob.Descriptor));
        }

        test.Clock.Advance(8 * Day);
        var pruned = await Store.PruneAsync(options, Cancelled);

        Assert.Equal(blob.Descriptor.Digest, Assert.Single(pruned.Blobs).Digest);
        Assert.Empty(pruned.Images);
    }

    [Fact]
    public async Task ABlobThatIsFoundIsKeptForAnotherGracePeriod()
    {
        var blob = MemoryBlobSource.Create(MediaTypes.OciLayer, "layer"u8.ToArray());
        await Store.PutAsync(blob, Cancelled);
        test.Clock.Advance(Day);
        Assert.NotNull(Store.FindBlob(blob.Descriptor));

        await Store.PruneAsync(
            new PruneOptions
            {
                Unreferenced = true,
                MaxSize = 0,
                MaxAge = TimeSpan.Zero,
            },
            Cancelled
        );

        Assert.NotNull(Store.FindBlob(blob.Descriptor));
    }

    [Fact]
    public async Task WhatARunningPublishWroteIsKeptHoweverLongItTakes()
    {
        var all = new PruneOptions
        {
            Unreferenced = true,
            MaxSize = 0,
            MaxAge = TimeSpan.Zero,
        };
        var session = await Store.BeginSessionAsync(Cancelled);
        var manifest = await test.PutImageAsync("amd64", "a");
        test.Clock.Advance(Day);
        await Store.PruneAsync(all, Cancelled);
        await Store.SetReferenceAsync("shop:1", manifest, Cancelled);
        await Store.RemoveReferenceAsync("shop:1", Cancelled);

        session.Dispose();
        test.Clock.Advance(Day);
        Assert.Equal(3, (await Store.PruneAsync(all, Cancelled)).Blobs.Count);
    }

    [Fact]
    public async Task TheSessionOfADeadProcessProtectsNothing()
    {
        await test.PutImageAsync("amd64", "a");
        var session = Path.Combine(test.Folder, ".imagepublish", "sessions", "dead");
        Directory.CreateDirectory(Path.GetDirectoryName(session)!);
        await File.WriteAllTextAsync(session, "", Cancelled);
        File.SetLastWriteTimeUtc(session, test.Clock.GetUtcNow().UtcDateTime);
        test.Clock.Advance(Day);

        Assert.Equal(3, (await Store.PruneAsync(new PruneOptions { Unreferenced = true }, Cancelled)).Blobs.Count);
        Assert.False(File.Exists(session));
    }

    [Fact]
    public async Task ImagesGoByAge()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "one"), Cancelled);
        test.Clock.Advance(Day);
        await Store.SetReferenceAsync("shop:2", await test.PutImageAsync("amd64", "two"), Cancelled);
        test.Clock.Advance(Day);

        var pruned = await Store.PruneAsync(new PruneOptions { MaxAge = 1.5 * Day }, Cancelled);

        Assert.Equal("shop:1", Assert.Single(pruned.Images).Name);
        Assert.Equal(3, pruned.Blobs.Count);
        Assert.Equal("shop:2", Assert.Single(await Store.ListAsync(Cancelled)).Name);
    }

    [Fact]
    public async Task TheStoreIsBroughtUnderItsLimitFromTheLeastRecentlyUsedOn()
    {
        foreach (var number in Enumerable.Range(0, 10))
        {
            await Store.SetReferenceAsync(
                $"shop:{number}",
                await test.PutImageAsync("amd64", "base", $"{number}" + new string('x', 10_000)),
                Cancelled
            );
            test.Clock.Advance(Day);
        }

        var pruned = await Store.PruneAsync(new PruneOptions { MaxSize = 50_000 }, Cancelled);

        Assert.Equal(["shop:0", "shop:1", "shop:2", "shop:3", "shop:4", "shop:5"], pruned.Images.Select(image => image.Name));
        Assert.Equal(pruned.RemainingBytes, test.Blobs.Sum(path => new FileInfo(path).Length));
        Assert.InRange(pruned.RemainingBytes, 1, 50_000);
        Assert.All(await Store.ListAsync(Cancelled), image => Assert.True(image.IsWhole));
    }

    [Fact]
    public async Task ImagesStayIfOnlyTheCacheMayGo()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "one"), Cancelled);
        await test.PutImageAsync("amd64", "two");
        test.Clock.Advance(Day);

        var pruned = await Store.PruneAsync(
            new PruneOptions
            {
                MaxSize = 0,
                MaxAge = TimeSpan.Zero,
                KeepImages = true,
            },
            Cancelled
        );

        Assert.Empty(pruned.Images);
        Assert.Equal(3, pruned.Blobs.Count);
        Assert.True(Assert.Single(await Store.ListAsync(Cancelled)).IsWhole);
    }

    [Fact]
    public async Task FilesOfOthersAndEntriesWithoutANameStay()
    {
        var manifest = await test.PutImageAsync("amd64", "one");
        await File.WriteAllTextAsync(
            Path.Combine(test.Folder, "index.json"),
            $$"""{"manifests":[{"mediaType":"{{manifest.MediaType}}","digest":"{{manifest.Digest}}","size":{{manifest.Size}} }]}""",
            Cancelled
        );
        var foreign = Path.Combine(test.Folder, "blobs", "sha256", "notes.txt");
        await File.WriteAllTextAsync(foreign, "mine", Cancelled);
        test.Clock.Advance(Day);

        await Store.PruneAsync(
            new PruneOptions
            {
                Unreferenced = true,
                MaxSize = 0,
                MaxAge = TimeSpan.Zero,
            },
            Cancelled
        );

        Assert.True(File.Exists(foreign));
        Assert.True(Assert.Single(await Store.ListAsync(Cancelled)).IsWhole);
    }

    [Fact]
    public async Task RecordsAndTemporaryFilesGoByAge()
    {
        await Store.Records.WriteAsync("runs", Digest.Compute("a"u8), "{}"u8.ToArray(), Cancelled);
        using var writer = Store.CreateBlob();
        File.SetLastWriteTimeUtc(Assert.Single(test.TemporaryFiles), test.Clock.GetUtcNow().UtcDateTime);
        test.Clock.Advance(2 * Day);

        var pruned = await Store.PruneAsync(new PruneOptions { MaxAge = Day }, Cancelled);

        Assert.Equal((1, 1), (pruned.Records, pruned.TemporaryFiles));
        Assert.Null(await Store.Records.ReadAsync("runs", Digest.Compute("a"u8), Cancelled));
        Assert.Empty(test.TemporaryFiles);
    }

    [Fact]
    public Task ADryRunTellsExactlyWhatTheRealOneRemovesAndEveryImageStaysWhole() =>
        Gen.Select(
                Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5], Gen.Bool, Gen.Int[0, 3]).Array[0, 8],
                Gen.Select(Gen.Bool, Gen.Int[-1, 6], Gen.Int[-1, 3000], Gen.Bool)
            )
            .SampleAsync(
                async (images, limits) =>
                {
                    using var sample = new TestStore();
                    foreach (var (first, second, isNamed, days) in images)
                    {
                        var manifest = await sample.PutImageAsync("amd64", new string('a', 100 * first), new string('b', 100 * second));
                        if (isNamed)
                            await sample.Store.SetReferenceAsync($"shop:{first}{second}", manifest, Cancelled);
                        sample.Clock.Advance(days * Day);
                    }

                    var options = new PruneOptions
                    {
                        Unreferenced = limits.Item1,
                        MaxAge = limits.Item2 < 0 ? null : limits.Item2 * Day,
                        MaxSize = limits.Item3 < 0 ? null : limits.Item3,
                        KeepImages = limits.Item4,
                    };
                    var before = sample.Blobs.ToList();
                    var told = await sample.Store.PruneAsync(options with { DryRun = true }, Cancelled);
                    Assert.Equal(before, sample.Blobs);
                    var done = await sample.Store.PruneAsync(options, Cancelled);

                    Assert.Equal(told.Blobs, done.Blobs);
                    Assert.Equal(told.Images.Select(image => image.Name), done.Images.Select(image => image.Name));
                    Assert.Equal(before.Count - done.Blobs.Count, sample.Blobs.Count());
                    Assert.Equal(done.RemainingBytes, sample.Blobs.Sum(path => new FileInfo(path).Length));
                    Assert.All(await sample.Store.ListAsync(Cancelled), image => Assert.True(image.IsWhole));
                },
                iter: 60,
                threads: 1
            );

    public void Dispose() => test.Dispose();
}
