using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Storage;

public sealed class ImageArchiveTests : IDisposable
{
    private static readonly string[] NamesOf = ["acme/shop:1.0", "localhost:5000/shop:1"];

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-archive-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public Task WhatIsWrittenIsReadAndWrittenAgainToTheSameBytes() =>
        Gen.Select(Gen.Byte.Array[0, 3000].Array[0, 4].Array[1, 4], Gen.Int[0, 2].Select(count => NamesOf[..count]), Gen.Bool)
            .SampleAsync(
                async (platforms, names, isIndex) =>
                {
                    Image[] images = [.. platforms.Select((layers, number) => SmallImage.Create($"arch{number}", layers))];
                    var index = MemoryBlobSource.Create(
                        MediaTypes.OciIndex,
                        OciJson.Write(new ImageIndex([.. images.Select(image => image.IndexEntry)]) { MediaType = MediaTypes.OciIndex })
                    );
                    IReadOnlyList<ArchiveImage> written = isIndex
                        ? [new ArchiveImage(index, images, names)]
                        : [ArchiveImage.Create(images[0], names)];
                    var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
                    await ArchiveWriter.WriteAsync(written, path, Cancelled);

                    var read = await ImageArchive.OpenAsync(path, Cancelled);

                    Assert.Equal(written[0].Root.Descriptor, Assert.Single(read.Images).Root.Descriptor);
                    Assert.Equal(
                        written[0].Platforms.Select(image => image.Digest),
                        read.Images[0].Platforms.Select(image => image.Digest)
                    );
                    using var again = new MemoryStream();
                    await ArchiveWriter.WriteAsync([read.Images[0] with { Names = names }], again, Cancelled);
                    Assert.Equal(await File.ReadAllBytesAsync(path, Cancelled), again.ToArray());
                },
                iter: 40,
                threads: 1
            );

    [Theory]
    [InlineData(TarEntryFormat.Pax, false)]
    [InlineData(TarEntryFormat.Gnu, true)]
    [InlineData(TarEntryFormat.Ustar, true)]
    public async Task AnArchiveOfDockerIsReadThroughLinksAndCompression(TarEntryFormat format, bool isCompressed)
    {
        var (first, second) = (Layer("first"), Layer("second"));
        var config = Config(first, second, first);
        var path = Write(
            TarBuilder.Create(
                format,
                ("a/layer.tar", first),
                ("b/layer.tar", Gzip(second)),
                ("c/layer.tar", "->../a/layer.tar"u8.ToArray()),
                ("config.json", config),
                (
                    "manifest.json",
                    """[{"Config":"config.json","RepoTags":["acme/shop:1.0"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]}]"""u8.ToArray()
                )
            ),
            isCompressed
        );

        var image = Assert.Single((await ImageArchive.OpenAsync(path, Cancelled)).Find("acme/shop:1.0").Platforms);

        Assert.Equal(
            [MediaTypes.DockerLayer, MediaTypes.DockerLayer + ".gzip", MediaTypes.DockerLayer],
            image.Layers.Select(layer => layer.Descriptor.MediaType)
        );
        Assert.Equal(first, await BytesAsync(image.Layers[2].Source!, 0));
        Assert.Equal(Gzip(second)[7..], await BytesAsync(image.Layers[1].Source!, 7));
        Assert.Equal(Digest.Compute(config), image.ConfigBlob.Descriptor.Digest);
        Assert.All(image.Layers.Zip(OciJson.ReadManifest(image.Manifest.Content.Span).Layers), pair =>
            Assert.Equal(pair.First.Descriptor, pair.Second)
        );
    }

    [Fact]
    public async Task AnAttestationTravelsWithItsIndex()
    {
        var image = SmallImage.Create("amd64", "a");
        var attestation = SmallImage.Create("unknown", "statement");
        var entry = attestation.Manifest.Descriptor with { Platform = new Platform("unknown", "unknown") };
        var index = MemoryBlobSource.Create(MediaTypes.OciIndex, OciJson.Write(new ImageIndex([image.IndexEntry, entry])));
        var whole = new ArchiveImage(index, [image], ["shop:1"])
        {
            OtherBlobs = [attestation.Manifest, attestation.ConfigBlob, attestation.Layers[0].Source!],
        };
        var path = Path.Combine(folder, "image.tar");
        await ArchiveWriter.WriteAsync([whole], path, Cancelled);

        var read = Assert.Single((await ImageArchive.OpenAsync(path, Cancelled)).Images);

        Assert.Equal(image.Digest, Assert.Single(read.Platforms).Digest);
        Assert.Equal(whole.OtherBlobs.Select(blob => blob.Descriptor.Digest), read.OtherBlobs.Select(blob => blob.Descriptor.Digest));
    }

    [Fact]
    public async Task TheStoreIsReadAsALayoutFolder()
    {
        using var store = new TestStore();
        await store.Store.SetReferenceAsync("acme/shop:1.0", await store.PutImageAsync("amd64", "a", "b"), Cancelled);

        var image = Assert.Single((await ImageArchive.OpenAsync(store.Folder, Cancelled)).Find("docker.io/acme/shop:1.0").Platforms);

        Assert.Equal("b", Encoding.UTF8.GetString(await BytesAsync(image.Layers[1].Source!, 0)));
    }

    [Fact]
    public async Task ALinkInALayoutFolderIsRefused()
    {
        using var store = new TestStore();
        await store.Store.SetReferenceAsync("acme/shop:1.0", await store.PutImageAsync("amd64", "a"), Cancelled);
        var blob = store.Blobs.First();
        File.Move(blob, Path.Combine(store.Folder, "elsewhere"));
        File.CreateSymbolicLink(blob, Path.Combine(store.Folder, "elsewhere"));

        await FailsAsync("IMG3106", store.Folder);
    }

    [Theory]
    [InlineData("""[{"Config":"../../../../etc/passwd","Layers":[]}]""")]
    [InlineData("""[{"Config":"loop","Layers":[]}]""")]
    [InlineData("""[{"Config":"/etc/passwd","Layers":[]}]""")]
    [InlineData("""[{"Config":"config.json","Layers":[]}]""")]
    [InlineData("""[{"Config":"config.json","Layers":["lie"]}]""")]
    [InlineData("""[{"Layers":[]}]""")]
    [InlineData("""[null]""")]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task AHostileOrDamagedArchiveOfDockerIsOneClearError(string manifest)
    {
        var path = Write(
            TarBuilder.Create(
                ("config.json", Config(Layer("truth"))),
                ("lie", Layer("lie")),
                ("loop", "->loop"u8.ToArray()),
                ("../../escape", Layer("escape")),
                ("manifest.json", Encoding.UTF8.GetBytes(manifest))
            )
        );

        await FailsAsync("IMG3106", path);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task AFileThatIsNoArchiveIsOneClearError()
    {
        await FailsAsync("IMG3106", Write(Encoding.UTF8.GetBytes(new string('x', 5000))));
        await FailsAsync("IMG3106", Write([]));
        await FailsAsync("IMG3106", Write([0x1F, 0x8B, 1, 2, 3, 4, 5, 6]));
        await FailsAsync("IMG3106", Write([0x28, 0xB5, 0x2F, 0xFD, 2, 3, 4, 5, 6]));
        await FailsAsync("IMG3106", Write([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]));
        await FailsAsync("IMG3106", Write(TarBuilder.Create(("readme.txt", "hello"u8.ToArray()))));
        await FailsAsync("IMG3107", Path.Combine(folder, "absent.tar"));
        await FailsAsync("IMG3106", folder);
    }

    [Fact]
    public async Task AnArchiveWithOneByteChangedIsReadRightOrRefused()
    {
        var path = Path.Combine(folder, "image.tar");
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(SmallImage.Create("amd64", "a"), "shop:1")], path, Cancelled);
        var good = await File.ReadAllBytesAsync(path, Cancelled);
        var damaged = Path.Combine(folder, "damaged.tar");
        await Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte)
            .SampleAsync(
                async (position, value) =>
                {
                    var bad = good.ToArray();
                    bad[position] = value;
                    await File.WriteAllBytesAsync(damaged, bad, Cancelled);
                    try
                    {
                        _ = await ImageArchive.OpenAsync(damaged, Cancelled);
                    }
                    catch (ImagePublishException exception)
                    {
                        Assert.Equal("IMG3106", exception.Code.Id);
                        Assert.DoesNotContain('\n', exception.Message);
                    }
                },
                iter: 500,
                threads: 1
            );
    }

    [Fact]
    public async Task ABlobThatIsNotWhatItShouldBeLeavesNoArchive()
    {
        var image = SmallImage.Create("amd64", "a");
        var lie = new MemoryBlobSource(image.Layers[0].Descriptor, "b"u8.ToArray());
        var path = Path.Combine(folder, "image.tar");

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            ArchiveWriter.WriteAsync(
                [
                    ArchiveImage.Create(
                        new Image(image.Manifest, image.ConfigBlob, image.Config, [image.Layers[0] with { Source = lie }]),
                        "shop:1"
                    ),
                ],
                path,
                Cancelled
            )
        );

        Assert.Equal("IMG4005", failure.Code.Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task AnArchiveThatCanNotBeWrittenIsOneClearError()
    {
        var file = Write([]);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            ArchiveWriter.WriteAsync([], Path.Combine(file, "image.tar"), Cancelled)
        );

        Assert.Equal("IMG3107", failure.Code.Id);
    }

    [Fact]
    public async Task DockersPartPointsAtTheSameBlobsOnce()
    {
        var path = Path.Combine(folder, "image.tar");
        await ArchiveWriter.WriteAsync(
            [ArchiveImage.Create(SmallImage.Create("amd64", "a", "a"), "shop:1", "acme/shop:1", "acme/shop@sha256:" + new string('0', 64))],
            path,
            Cancelled
        );

        var names = new List<string>();
        JsonNode? manifest = null;
        await using var tar = new TarReader(File.OpenRead(path));
        while (await tar.GetNextEntryAsync(copyData: true, Cancelled) is { } entry)
        {
            names.Add(entry.Name);
            Assert.Equal((DateTimeOffset.UnixEpoch, 0, 0), (entry.ModificationTime, entry.Uid, entry.Gid));
            if (entry.Name == "manifest.json")
                manifest = await JsonNode.ParseAsync(entry.DataStream!, cancellationToken: Cancelled);
        }

        Assert.Equal(names.Distinct(), names);
        Assert.Equal(
            ["docker.io/library/shop:1", "docker.io/acme/shop:1"],
            manifest![0]!["RepoTags"]!.AsArray().Select(tag => (string?)tag)
        );
        Assert.All(manifest[0]!["Layers"]!.AsArray(), layer => Assert.Contains((string)layer!, names));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARootFileSystemBecomesAnImageOfOneLayer(bool isCompressed)
    {
        var tar = TarBuilder.Create(("etc/os-release", "ID=test"u8.ToArray()));
        var path = Write(tar, isCompressed);

        var image = await RootFileSystemArchive.OpenAsync(path, Platform.Parse("linux/arm64/v8"), ImageFormat.Oci, Cancelled);

        var layer = Assert.Single(image.Layers);
        Assert.Equal(Digest.Compute(tar), layer.DiffId);
        Assert.Equal(await File.ReadAllBytesAsync(path, Cancelled), await BytesAsync(layer.Source!, 0));
        Assert.Equal(layer.Descriptor.Digest, Digest.Compute(await File.ReadAllBytesAsync(path, Cancelled)));
        Assert.Equal("linux/arm64/v8", image.Config.Platform.ToString());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static byte[] Layer(string text) => TarBuilder.Create(("file", Encoding.UTF8.GetBytes(text)));

    private static byte[] Config(params byte[][] layers) =>
        OciJson.Write(new ImageConfig("amd64", "linux", new RootFs("layers", [.. layers.Select(layer => Digest.Compute(layer))])));

    private static byte[] Gzip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
            gzip.Write(content);
        return output.ToArray();
    }

    private static async Task<byte[]> BytesAsync(BlobSource source, long offset)
    {
        await using var content = await source.OpenAsync(offset, Cancelled);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, Cancelled);
        return bytes.ToArray();
    }

    private static async Task FailsAsync(string code, string path) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, Cancelled))).Code.Id);

    private string Write(byte[] content, bool isCompressed = false)
    {
        var path = Path.Combine(folder, "archive");
        File.WriteAllBytes(path, isCompressed ? Gzip(content) : content);
        return path;
    }
}
