using System.Text;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

public sealed class LayerCacheTests : IDisposable
{
    private static readonly Digest Tar = Digest.Compute("tar"u8);
    private static readonly Descriptor Layer = new(MediaTypes.OciLayer + "+gzip", Digest.Compute("layer"u8), 5);

    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private LayerCache Cache => new(test.Store);

    private string Records => Path.Combine(test.Folder, ".imagepublish", "records");

    [Fact]
    public async Task ALayerIsFoundUnderItsTarAndCompressionOnly()
    {
        await Cache.RememberAsync(Tar, "gzip/6", Layer, Cancelled);

        Assert.Equal(Layer, await Cache.FindAsync(Tar, "gzip/6", Cancelled));
        Assert.Null(await Cache.FindAsync(Tar, "gzip/9", Cancelled));
        Assert.Null(await Cache.FindAsync(Layer.Digest, "gzip/6", Cancelled));
    }

    [Fact]
    public async Task ARecordThatWasDamagedIsNotBelieved()
    {
        await Cache.RememberAsync(Tar, "gzip/6", Layer, Cancelled);
        var file = Assert.Single(Directory.EnumerateFiles(Records, "*", SearchOption.AllDirectories));
        var good = await File.ReadAllBytesAsync(file, Cancelled);

        for (var position = 0; position < good.Length; position++)
        {
            var bad = good.ToArray();
            bad[position] ^= 1;
            await File.WriteAllBytesAsync(file, bad, Cancelled);
            Assert.Null(await Cache.FindAsync(Tar, "gzip/6", Cancelled));
        }

        await File.WriteAllBytesAsync(file, good[..^1], Cancelled);
        Assert.Null(await Cache.FindAsync(Tar, "gzip/6", Cancelled));
        await File.WriteAllBytesAsync(file, [], Cancelled);
        Assert.Null(await Cache.FindAsync(Tar, "gzip/6", Cancelled));
    }

    [Fact]
    public async Task ARecordUnderAnotherKeyIsNotBelieved()
    {
        await Cache.RememberAsync(Tar, "gzip/6", Layer, Cancelled);
        var file = Assert.Single(Directory.EnumerateFiles(Records, "*", SearchOption.AllDirectories));
        await Cache.RememberAsync(Tar, "gzip/9", Layer with { Size = 6 }, Cancelled);
        var other = Directory.EnumerateFiles(Records, "*", SearchOption.AllDirectories).Single(path => path != file);

        File.Copy(other, file, overwrite: true);

        Assert.Null(await Cache.FindAsync(Tar, "gzip/6", Cancelled));
    }

    [Fact]
    public async Task TheLatestRepositoriesWithABlobComeFirst()
    {
        foreach (var name in (string[])["localhost:5000/a", "localhost:5000/b", "ghcr.io/acme/c", "localhost:5000/a"])
            await Cache.RememberRepositoryAsync(Layer.Digest, Reference.Parse(name).Repository, Cancelled);

        Assert.Equal(
            ["localhost:5000/a", "ghcr.io/acme/c", "localhost:5000/b"],
            (await Cache.FindRepositoriesAsync(Layer.Digest, Cancelled)).Select(place => place.ToString())
        );
    }

    [Fact]
    public async Task OnlyAFewRepositoriesAreRemembered()
    {
        foreach (var number in Enumerable.Range(0, 20))
            await Cache.RememberRepositoryAsync(Layer.Digest, Reference.Parse($"localhost:5000/r{number}").Repository, Cancelled);

        Assert.Equal(8, (await Cache.FindRepositoriesAsync(Layer.Digest, Cancelled)).Count);
    }

    [Fact]
    public async Task ARecordComesBackUntilItIsRemoved()
    {
        var content = Encoding.UTF8.GetBytes("{\"a\":1}");
        await test.Store.Records.WriteAsync("runs", Tar, content, Cancelled);

        Assert.Equal(content, await test.Store.Records.ReadAsync("runs", Tar, Cancelled));
        test.Store.Records.Remove("runs", Tar);
        Assert.Null(await test.Store.Records.ReadAsync("runs", Tar, Cancelled));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            test.Store.Records.WriteAsync("runs", Tar, new byte[CacheRecords.MaxSize + 1], Cancelled)
        );
    }

    public void Dispose() => test.Dispose();
}
