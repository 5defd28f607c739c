using System.Security.Cryptography;
using ImagePublish.Bases;
using ImagePublish.Publishing;
using ImagePublish.Storage;
using ImagePublish.Tests.Storage;
using ImagePublish.Tests.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>The store of a machine that publishes all day.</summary>
public sealed class StoreLimitTests
{
    private const long Limit = 2_000_000;

    [Fact]
    public async Task TheStoreStaysUnderItsLimitAfterAHundredPublishes()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);
        var clock = new MovableClock();
        var store = ImageStore.Open(Path.Combine(bench.PublishFolder, "..", "store-limited"), new StoreOptions { Time = clock });
        var request = bench.Request("1.0") with { Base = new ScratchImage(), Destinations = [] };
        var (largest, prunes) = (0L, 0);
        PublishResult? last = null;

        for (var publish = 0; publish < 100; publish++)
        {
            await File.WriteAllBytesAsync(
                Path.Combine(bench.PublishFolder, "App.dll"),
                RandomNumberGenerator.GetBytes(100_000),
                PublishingBench.Cancel
            );
            last = await new ImagePublisher(new PublishContext(connections.Client, store, bench.Log)).PublishAsync(
                request,
                PublishingBench.Cancel
            );
            prunes += await store.KeepWithinAsync(Limit, PublishingBench.Cancel) is null ? 0 : 1;
            largest = Math.Max(largest, BlobBytes(store));
            clock.Advance(TimeSpan.FromMinutes(10));
        }

        Assert.InRange(largest, 1_000_000, Limit);
        Assert.InRange(prunes, 2, 60);
        var image = Assert.Single(await store.ListAsync(PublishingBench.Cancel));
        Assert.Equal(last!.Image.Digest, image.Descriptor.Digest);
        Assert.All(last.Image.Layers, layer => Assert.NotNull(store.FindBlob(layer.Descriptor)));
    }

    private static long BlobBytes(ImageStore store) =>
        Directory
            .EnumerateFiles(Path.Combine(store.Folder, "blobs"), "*", SearchOption.AllDirectories)
            .Sum(file => new FileInfo(file).Length);
}
