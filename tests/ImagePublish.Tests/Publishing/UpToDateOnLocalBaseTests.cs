using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagePublish.Bases;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Publishing;

/// <summary>An unchanged publish on a base of this machine takes the short way, and a base that changed is always noticed.</summary>
public sealed class UpToDateOnLocalBaseTests
{
    // Made once: they have the time at which they are made.
    private static readonly Dictionary<string, byte[]> Layers = new[] { "one", "two" }.ToDictionary(
        text => text,
        text => TarBuilder.Create(TarEntryFormat.Ustar, ("file", Encoding.UTF8.GetBytes(text)))
    );

    private const string Recognised = "Neither the files nor the base image nor a tag changed";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("layout.tar")]
    [InlineData("layout.tar.gz")]
    [InlineData("docker.tar")]
    [InlineData("docker.tar.gz")]
    [InlineData("rootfs.tar")]
    [InlineData("rootfs.tar.gz")]
    [InlineData("folder")]
    [InlineData("store")]
    [ReliabilityCase("Archives", "an archive used as base changes, but not its length and times", "the image is built again")]
    public async Task AnUnchangedBaseIsRecognisedAndAChangedOneIsNeverMissed(string kind)
    {
        await using var bench = await PublishingBench.StartAsync();
        var place = Path.Combine(bench.PublishFolder, "..", kind);
        await WriteAsync(bench, place, "one");
        ImageSource source =
            kind == "store"
                ? new StoreImage("acme/base:1")
                : new ArchivedImage(Path.GetFullPath(place), kind == "folder" ? "acme/base:1" : null);
        var request = bench.Request("1.0") with { Base = source };

        var first = await bench.PublishAsync(request);
        Assert.Equal(0, Times(bench, Recognised));
        var second = await bench.PublishAsync(request);

        Assert.Equal(1, Times(bench, Recognised));
        Assert.True(second.IsUnchanged);
        Assert.Equal(first.Image.Digest, second.Image.Digest);
        Assert.Equal(first.Image.Layers.Select(layer => layer.DiffId), second.Image.Layers.Select(layer => layer.DiffId));

        var (length, modified) = File.Exists(place) ? (new FileInfo(place).Length, File.GetLastWriteTimeUtc(place)) : default;
        await WriteAsync(bench, place, "two");
        if (File.Exists(place))
        {
            File.SetLastWriteTimeUtc(place, modified);
            Assert.Equal(length, new FileInfo(place).Length);
        }

        var third = await bench.PublishAsync(request);

        Assert.Equal(1, Times(bench, Recognised));
        Assert.NotEqual(first.Image.Layers[0].DiffId, third.Image.Layers[0].DiffId);
        Assert.Equal(Digest.Compute(Layer("two")), third.Image.Layers[0].DiffId);
        Assert.Equal(third.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    [Fact]
    [ReliabilityCase(
        "Archives",
        "a compressed archive as base, published on several times",
        "it is decompressed once for all publishes, and again only if the store has lost it"
    )]
    public async Task ACompressedArchiveIsInflatedOnceForAllPublishes()
    {
        await using var bench = await PublishingBench.StartAsync();
        var place = Path.GetFullPath(Path.Combine(bench.PublishFolder, "..", "docker.tar.gz"));
        await WriteAsync(bench, place, "one");
        var store = bench.Store();
        var inflated = 0;
        var options = new ArchiveOptions
        {
            TemporaryFolder = store.Disk.Layout.TemporaryFolder,
            CreateTemporary = path =>
            {
                inflated++;
                return new ArchiveOptions().CreateTemporary(path);
            },
        };
        var images = new ArchiveImages(store) { Options = options };

        var first = await images.LoadAsync(new ArchivedImage(place, null), null, Cancel);
        File.SetLastWriteTimeUtc(place, DateTime.UnixEpoch);
        var second = await images.LoadAsync(new ArchivedImage(place, null), null, Cancel);

        var layer = store.Disk.Layout.BlobFile(second.Platforms[0].Layers[0].Descriptor.Digest);
        Assert.Equal(1, inflated);
        Assert.Equal(first.Root.Descriptor.Digest, second.Root.Descriptor.Digest);
        Assert.Equal(Layer("one"), await File.ReadAllBytesAsync(layer, Cancel));
        Assert.Empty(Directory.EnumerateFiles(options.TemporaryFolder));

        File.Delete(layer);
        await images.LoadAsync(new ArchivedImage(place, null), null, Cancel);

        Assert.Equal(2, inflated);
        Assert.Equal(Layer("one"), await File.ReadAllBytesAsync(layer, Cancel));
    }

    [Fact]
    public async Task AnIndexOfWhichTheArchiveHasOnePlatformIsEnough()
    {
        await using var bench = await PublishingBench.StartAsync();
        var (here, elsewhere) = (SmallImage.Create("amd64", "here"), SmallImage.Create("arm64", "elsewhere"));
        var index = MemoryBlobSource.Create(
            MediaTypes.OciIndex,
            OciJson.Write(new ImageIndex([here.IndexEntry, elsewhere.IndexEntry]) { MediaType = MediaTypes.OciIndex })
        );
        var place = Path.GetFullPath(Path.Combine(bench.PublishFolder, "..", "index.tar.gz"));
        await ArchiveWriter.WriteAsync([new ArchiveImage(index, [here], ["acme/base:1"])], place, Cancel);
        var request = bench.Request("1.0") with { Base = new ArchivedImage(place, null) };

        var first = await bench.PublishAsync(request);
        var second = await bench.PublishAsync(request);

        Assert.Equal(here.Layers[0].DiffId, first.Image.Layers[0].DiffId);
        Assert.True(second.IsUnchanged);
    }

    private static int Times(PublishingBench bench, string line) =>
        bench.Log.Details.Count(detail => detail.Contains(line, StringComparison.Ordinal));

    private static byte[] Layer(string text) => Layers[text];

    // Two texts of one length give archives of one length.
    private static async Task WriteAsync(PublishingBench bench, string place, string text)
    {
        var image = SmallImage.Create("amd64", [Layer(text)]);
        switch (Path.GetFileName(place))
        {
            case "store":
                await PutAsync(bench.Store(), image);
                break;
            case "folder":
                await PutAsync(ImageStore.Open(place, new StoreOptions()), image);
                break;
            case var name when name.StartsWith("layout", StringComparison.Ordinal):
                await ArchiveWriter.WriteAsync([ArchiveImage.Create(image, "acme/base:1")], place, Cancel);
                break;
            case var name:
                var config = OciJson.Write(image.Config);
                var manifest = """[{"Config":"config.json","RepoTags":["acme/base:1"],"Layers":["layer.tar"]}]"""u8.ToArray();
                var tar = name.StartsWith("rootfs", StringComparison.Ordinal)
                    ? Layer(text)
                    : TarBuilder.Create(
                        TarEntryFormat.Ustar,
                        ("layer.tar", Layer(text)),
                        ("config.json", config),
                        ("manifest.json", manifest)
                    );
                await using (var file = File.Create(place))
                await using (
                    var output = name.EndsWith(".gz", StringComparison.Ordinal)
                        ? new GZipStream(file, CompressionLevel.NoCompression)
                        : (Stream)file
                )
                    await output.WriteAsync(tar, Cancel);
                break;
        }
    }

    private static async Task PutAsync(ImageStore store, Image image)
    {
        foreach (var blob in ArchiveImage.Create(image, []).Blobs)
            await store.PutAsync(blob, Cancel);
        await store.SetReferenceAsync("acme/base:1", image.Manifest.Descriptor, Cancel);
    }
}
