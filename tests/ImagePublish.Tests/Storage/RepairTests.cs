using System.Text;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

public sealed class RepairTests : IDisposable
{
    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ImageStore Store => test.Store;

    private string IndexFile => Path.Combine(test.Folder, "index.json");

    [Fact]
    public async Task AForeignFileInTheLayoutIsNoHarmAndStays()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        string[] foreign = ["blobs/sha256/README.txt", "blobs/notes/x", "blobs/sha256/.DS_Store", "other.json"];
        foreach (var name in foreign)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(test.Folder, name))!);
            await File.WriteAllTextAsync(Path.Combine(test.Folder, name), "foreign", Cancelled);
        }

        test.Clock.Advance(TimeSpan.FromDays(30));
        var repaired = await Store.RepairAsync(dryRun: false, Cancelled);
        await Store.PruneAsync(
            new PruneOptions
            {
                Unreferenced = true,
                MaxSize = 0,
                KeepImages = true,
            },
            Cancelled
        );

        Assert.Empty(repaired.Blobs);
        Assert.True(Assert.Single(await Store.ListAsync(Cancelled)).IsWhole);
        Assert.All(foreign, name => Assert.True(File.Exists(Path.Combine(test.Folder, name))));
    }

    [Fact]
    public async Task ASoundStoreStaysAsItIs()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        var before = await File.ReadAllTextAsync(IndexFile, Cancelled);

        var repaired = await Store.RepairAsync(dryRun: false, Cancelled);

        Assert.Empty(repaired.Blobs);
        Assert.Empty(repaired.Images);
        Assert.Null(repaired.DamagedList);
        Assert.Equal(before, await File.ReadAllTextAsync(IndexFile, Cancelled));
    }

    [Fact]
    public async Task ADamagedBlobGoesAndTheImagesThatNeedItWithIt()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "shared", "one"), Cancelled);
        await Store.SetReferenceAsync("shop:2", await test.PutImageAsync("amd64", "shared", "two"), Cancelled);
        var layer = MemoryBlobSource.Create(MediaTypes.OciLayer, "two"u8.ToArray()).Descriptor;
        await File.WriteAllTextAsync(test.BlobFile(layer), "TWO", Cancelled);

        foreach (var dryRun in (bool[])[true, false])
        {
            var repaired = await Store.RepairAsync(dryRun, Cancelled);
            Assert.Equal([layer.Digest], repaired.Blobs);
            Assert.Equal(["shop:2"], repaired.Images);
        }

        Assert.False(File.Exists(test.BlobFile(layer)));
        Assert.Equal("shop:1", Assert.Single(await Store.ListAsync(Cancelled)).Name);
    }

    [Fact]
    public async Task ALinkAmongTheBlobsGoesAndWhatItPointsAtStays()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        var target = Path.Combine(test.Folder, "target");
        var link = Path.Combine(test.Folder, "blobs", "sha256", new string('0', 64));
        await File.WriteAllTextAsync(target, "content", Cancelled);
        File.CreateSymbolicLink(link, target);

        await Store.RepairAsync(dryRun: false, Cancelled);

        Assert.False(File.Exists(link));
        Assert.True(File.Exists(target));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("{\"manifests\":[{\"digest\":7},GOOD]}", 1)]
    [InlineData("{\"manifests\":[GOOD],\"layers\":[]}", 1)]
    [InlineData("{\"manifests\":7}", 0)]
    public async Task WhatCanBeReadOfADamagedListIsKept(string list, int images)
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        var good = Encoding.UTF8.GetString(
            OciJson.Write(OciJson.ReadIndex(await File.ReadAllBytesAsync(IndexFile, Cancelled)) with { MediaType = null })
        );
        var entry = good[(good.IndexOf('[', StringComparison.Ordinal) + 1)..good.LastIndexOf(']')];
        var damaged = list.Replace("GOOD", entry, StringComparison.Ordinal);
        await File.WriteAllTextAsync(IndexFile, damaged, Cancelled);

        var repaired = await Store.RepairAsync(dryRun: false, Cancelled);

        Assert.Equal(images, (await Store.ListAsync(Cancelled)).Count);
        Assert.Equal(damaged, await File.ReadAllTextAsync(repaired.DamagedList!, Cancelled));
    }

    public void Dispose() => test.Dispose();
}
