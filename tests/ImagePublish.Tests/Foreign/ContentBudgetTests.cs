using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Deb;
using ImagePublish.Packages.Model;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Foreign;

/// <summary>
/// Foreign content that a few bytes make large is refused before it takes memory or time. Both are measured by the bytes that are
/// allocated.
/// </summary>
public sealed class ContentBudgetTests : IDisposable
{
    private const string Area = "Security";
    private const long Mebibyte = 1 << 20;

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-budget-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    [ReliabilityCase(Area, "a layer of a few hundred bytes with a path of 150,000 folders", "IMG3005 before memory is allocated for it")]
    public async Task APathOfCountlessFoldersIsRefused()
    {
        using var blob = new MemoryStream();
        await using (var gzip = new GZipStream(blob, CompressionLevel.SmallestSize, leaveOpen: true))
            await gzip.WriteAsync(
                (byte[])[.. TarBytes.File(string.Concat(Enumerable.Repeat("a/", 150_000)) + "b"), .. TarBytes.End],
                Cancel
            );
        Assert.InRange(blob.Length, 1, 2000);
        blob.Position = 0;

        var failure = await RefusedAsync(
            async () => _ = new BaseFileSystem([await LayerListing.ReadAsync(blob, new LayerReaderOptions(), Cancel)]),
            10 * Mebibyte
        );

        Assert.Contains("a path of more than 4095 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4095, false)]
    [InlineData(4096, true)]
    public async Task TheLongestPathOfLinuxIsTheLongest(int length, bool isRefused)
    {
        var path = string.Concat(Enumerable.Repeat("ab/", length / 3)) + new string('c', length % 3 == 0 ? 0 : length % 3);
        path = path.TrimEnd('/').PadRight(length, 'd');

        await CheckAsync(TarBytes.File(path), isRefused);
    }

    [Theory]
    [InlineData("", 255, false)]
    [InlineData("", 256, true)]
    [InlineData(".wh.", 255, false)]
    [InlineData(".wh.", 256, true)]
    public async Task TheLongestNameOfLinuxIsTheLongest(string prefix, int length, bool isRefused) =>
        await CheckAsync(TarBytes.File($"etc/{prefix}{new string('n', length)}"), isRefused);

    [Fact]
    public async Task ANameThatIsNotUtf8HasTheLengthOfItsBytes()
    {
        byte[] name = [.. Enumerable.Repeat((byte)0xE4, 200), 0];

        await CheckAsync([.. TarBytes.Entry("././@LongLink", 'L', name), .. TarBytes.Entry("short", '0', [])], isRefused: false);
    }

    [Theory]
    [InlineData('1')]
    [InlineData('2')]
    public async Task ATargetOfALinkHasALimitToo(char kind)
    {
        var target = string.Concat(Enumerable.Repeat("ab/", 1400));

        await CheckAsync([.. TarBytes.Attribute("linkpath", target), .. TarBytes.Entry("link", kind, [])], isRefused: true);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    [ReliabilityCase(Area, "a layer with an extended header of 700 MB", "IMG3005 before the header is read")]
    public async Task ALargeHeaderIsRefusedBeforeItIsRead(char type)
    {
        byte[] start =
        [
            .. TarBytes.File("first", new byte[700]),
            .. TarBytes.File("second"),
            .. TarBytes.Header("large", type, 700_000_000),
        ];
        await using var layer = new EndlessStream(start);

        await RefusedAsync(() => LayerListing.ReadAsync(layer, new LayerReaderOptions(), Cancel), Mebibyte);

        Assert.InRange(layer.Count, start.Length, start.Length + Mebibyte);
    }

    [Theory]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public async Task HeadersOfHonestLayersAreFoundWhereverTheyAre(TarEntryFormat format)
    {
        var random = new Random(11);
        var files = Enumerable
            .Range(0, 200)
            .Select(number => ($"{new string('n', random.Next(1, 250))}/{number}", new byte[random.Next(3000)]))
            .ToArray();
        var tar = TarBuilder.Create(format, files);

        var listing = await LayerListing.ReadAsync(new MemoryStream(tar), new LayerReaderOptions(), Cancel);
        await CheckAsync([.. tar[..^1024], .. TarBytes.Header("large", 'x', 700_000_000)], isRefused: true);

        Assert.Equal(files.Select(file => file.Item1), listing.Entries.Select(entry => entry.Path));
    }

    [Fact]
    [ReliabilityCase(Area, "an image with a gigabyte of files that are kept in memory", "IMG3005 after 64 MiB, in one layer or in many")]
    public async Task KeptFilesHaveALimitForTheWholeImage()
    {
        const int length = 8 << 20;
        var layers = Enumerable.Range(0, 12).Select(number => new LayerOfOneFile($"app{number}.deps.json", length)).ToList();
        var baseImage = new BaseImage(
            "base",
            null,
            ImageFormat.Oci,
            new ImageConfig("amd64", "linux"),
            [.. layers.Select(layer => new Layer(layer.Descriptor, layer.DiffId, layer))]
        );
        using var store = new TestStore();

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            new BaseFiles(store.Store, new TestLog()).ReadAsync(baseImage, Cancel)
        );

        Assert.Equal(DiagnosticCodes.LayerInvalid, failure.Code);
        Assert.Contains("64 MiB", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageHasALimitOfEntriesThatItsLayersShare()
    {
        var budget = new ContentBudget(why => LayerReader.Invalid(why)) { MaxEntries = 5 };
        var layer = TarBuilder.Create(("a", []), ("b", []), ("c", []));
        var options = new LayerReaderOptions { Budget = budget };
        await LayerListing.ReadAsync(new MemoryStream(layer), options, Cancel);

        await Assert.ThrowsAsync<ImagePublishException>(() => LayerListing.ReadAsync(new MemoryStream(layer), options, Cancel));
    }

    [Fact]
    public async Task FoldersThatOnlyPathsNameCountToo()
    {
        var deep = string.Concat(Enumerable.Repeat("a/", 2000));
        var paths = Enumerable.Range(0, 100).Select(number => TarBytes.File($"{number}/{deep}b"));
        var listing = await LayerListing.ReadAsync(
            new MemoryStream([.. paths.SelectMany(entry => entry), .. TarBytes.End]),
            new LayerReaderOptions(),
            Cancel
        );

        var failure = Assert.Throws<ImagePublishException>(() => new BaseFileSystem([listing]));

        Assert.Equal(DiagnosticCodes.LayerInvalid, failure.Code);
    }

    [Fact]
    [ReliabilityCase(Area, "a dpkg status with one field of 80,000 lines", "read in time and memory proportional to its length")]
    public void AFieldOfManyLinesIsReadInOneGo()
    {
        var text = "Package: a\nDescription: b\n" + string.Concat(Enumerable.Repeat(" x\n", 80_000));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var paragraph = Assert.Single(ControlParagraph.ReadAll(text));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100L * text.Length);
        Assert.Equal(2 * 80_000 + 1, paragraph["Description"]!.Length);
    }

    [Fact]
    public void AMalformedDocumentIsExplainedInOneGo()
    {
        var items = string.Join(',', Enumerable.Range(0, 20_000).Select(number => $"{{\"a\":{number}}}"));
        var document = Encoding.UTF8.GetBytes($$"""{"{{new string('n', 100_000)}}":[{{items}}],"config":{},"config":{} }""");

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<System.Text.Json.JsonException>(() => OciJson.ReadManifest(document));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100L * document.Length);
    }

    [Fact]
    [ReliabilityCase(Area, "an archive whose indexes refer to each other a million times", "each document is read once")]
    public async Task IndexesThatAreNamedManyTimesAreReadOnce()
    {
        var files = new List<(string, byte[])> { ("oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray()) };
        var image = SmallImage.Create("amd64", "layer");
        foreach (var blob in image.Layers.Select(layer => layer.Source!).Append(image.Manifest).Append(image.ConfigBlob))
            files.Add((ArchiveWriter.PathOf(blob.Descriptor.Digest), await BytesAsync(blob)));
        var entry = image.IndexEntry;
        for (var level = 0; level < 4; level++)
        {
            var index = OciJson.Write(
                new ImageIndex([.. Enumerable.Repeat(entry, level == 0 ? 2 : 100)]) { MediaType = MediaTypes.OciIndex }
            );
            entry = new Descriptor(MediaTypes.OciIndex, Digest.Compute(index), index.Length);
            files.Add((ArchiveWriter.PathOf(entry.Digest), index));
        }

        files.Add(("index.json", OciJson.Write(new ImageIndex([entry]) { MediaType = MediaTypes.OciIndex })));
        var opened = 0;
        var path = Write(TarBuilder.Create([.. files]));

        using var archive = await ImageArchive.OpenAsync(path, Counting(() => opened++), Cancel);

        Assert.Equal(2, Assert.Single(archive.Images).Platforms.Count);
        Assert.InRange(opened, 1, 20);
    }

    [Fact]
    [ReliabilityCase(Area, "an archive that lists the same image a hundred thousand times", "IMG3106 after 64 MiB of documents")]
    public async Task AnArchiveThatListsAnImageManyTimesIsRefused()
    {
        var config = Encoding.UTF8.GetBytes(
            $$"""{"rootfs":{"type":"layers","diff_ids":[]},"architecture":"amd64","os":"linux","author":"{{new string('a', 100_000)}}" }"""
        );
        var manifest = Encoding.UTF8.GetBytes(
            $"[{string.Join(',', Enumerable.Repeat("""{"Config":"c","RepoTags":null,"Layers":[]}""", 5_000))}]"
        );
        var path = Write(TarBuilder.Create(("manifest.json", manifest), ("c", config)));

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, Cancel));

        Assert.Equal(DiagnosticCodes.ArchiveInvalid, failure.Code);
        Assert.Contains("64 MiB", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(Area, "an archive with a header that announces 700 MB", "IMG3106 before the header is read")]
    public async Task AnArchivesHeaderHasALimitToo()
    {
        var path = Write([.. TarBytes.File("first", new byte[700]), .. TarBytes.Header("large", 'x', 700_000_000), .. new byte[2000]]);

        var before = GC.GetTotalAllocatedBytes();
        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, Cancel));

        Assert.Equal(DiagnosticCodes.ArchiveInvalid, failure.Code);
        Assert.Contains("a header of more than 1 MiB", failure.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 600 * Mebibyte);
    }

    [Fact]
    [ReliabilityCase(Area, "a package whose control files inflate to gigabytes", "IMG6008 after 64 MiB")]
    public async Task APackagesControlFilesHaveALimit()
    {
        using var control = new MemoryStream();
        await using (var gzip = new GZipStream(control, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(TarBytes.Header("./zeros", '0', 200 * Mebibyte), Cancel);
            var zeros = new byte[Mebibyte];
            for (var written = 0; written < 200; written++)
                await gzip.WriteAsync(zeros, Cancel);
            await gzip.WriteAsync((byte[])[.. TarBytes.Entry("./control", '0', "Package: a\n"u8.ToArray()), .. TarBytes.End], Cancel);
        }

        var path = Write(
            DebBuilder.Archive(("debian-binary", "2.0\n"u8.ToArray()), ("control.tar.gz", control.ToArray()), ("data.tar", TarBytes.End))
        );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => UnpackedPackage.UnpackAsync("a", path, folder, Cancel));

        Assert.Equal(DiagnosticCodes.PackageInvalid, failure.Code);
    }

    [Fact]
    public async Task LinksInDeepFoldersAreFollowedStepByStep()
    {
        var deep = string.Concat(Enumerable.Repeat("a/", 1900));
        var entries = Enumerable
            .Range(0, 39)
            .Select(number => new PaxTarEntry(TarEntryType.SymbolicLink, $"{deep}l{number}") { LinkName = $"/{deep}l{number + 1}" });
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            foreach (var entry in entries)
                await writer.WriteEntryAsync(entry, Cancel);
        }

        tar.Position = 0;
        var files = new BaseFileSystem([await LayerListing.ReadAsync(tar, new LayerReaderOptions(), Cancel)]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var place = files.Resolve(deep + "l0", followLast: true);

        Assert.Equal(deep + "l39", place);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 60 * Mebibyte);
    }

    [Theory]
    [InlineData("folders", "IMG3005 ")]
    [InlineData("header", "IMG3005 ")]
    [InlineData("texts", "IMG3005 ")]
    [InlineData("status", "read ")]
    [ReliabilityCase(Area, "a hostile layer on a machine with 512 MB of memory", "refused or read: the process does not run out of memory")]
    public async Task AHostileLayerFitsIntoASmallHeap(string kind, string expected)
    {
        const int Files = 40;
        var large = new byte[8 * Mebibyte];
        IEnumerable<byte[]> tar = kind switch
        {
            "folders" => [TarBytes.File(string.Concat(Enumerable.Repeat("a/", 150_000)) + "b")],
            "header" => Enumerable.Repeat(large, Files).Prepend(TarBytes.Header("large", 'x', 700_000_000)),
            "texts" => Enumerable.Range(0, Files).Select(number => TarBytes.File($"app/{number}.deps.json", large)),
            _ => [TarBytes.File("var/lib/dpkg/status", Status())],
        };
        var file = Path.Combine(folder, "layer");
        await using (var blob = File.Create(file))
        await using (var gzip = new GZipStream(blob, CompressionLevel.Fastest))
        {
            foreach (var part in tar.Append(TarBytes.End))
                await gzip.WriteAsync(part, Cancel);
        }

        var lines = await TestingProcess.RunAsync(("DOTNET_GCHeapHardLimit", "20000000"), "read", file);

        Assert.Equal("limit 512", lines[0]);
        Assert.StartsWith(expected, lines[1], StringComparison.Ordinal);

        static byte[] Status() =>
            Encoding.ASCII.GetBytes(
                "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n" + string.Concat(Enumerable.Repeat(" y\n", 80_000))
            );
    }

    private static async Task CheckAsync(byte[] entries, bool isRefused)
    {
        var reading = RefusalAsync(() =>
            LayerListing.ReadAsync(new MemoryStream([.. entries, .. TarBytes.End]), new LayerReaderOptions(), Cancel)
        );
        Assert.Equal(isRefused ? DiagnosticCodes.LayerInvalid : null, (await reading)?.Code);
    }

    private static async Task<ImagePublishException?> RefusalAsync(Func<Task> read)
    {
        try
        {
            await read();
            return null;
        }
        catch (ImagePublishException exception)
        {
            return exception;
        }
    }

    // Nothing is waited for in memory, so all of it runs on this thread.
    private static async Task<ImagePublishException> RefusedAsync(Func<Task> read, long most)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reading = RefusalAsync(read);
        Assert.True(reading.IsCompleted);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var failure = await reading;
        Assert.Equal(DiagnosticCodes.LayerInvalid, failure?.Code);
        Assert.InRange(allocated, 0, most);
        return failure!;
    }

    private static async Task<byte[]> BytesAsync(BlobSource blob)
    {
        await using var stream = await blob.OpenAsync(0, Cancel);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }

    private static ArchiveOptions Counting(Action opened) =>
        new()
        {
            OpenFile = path =>
            {
                opened();
                return File.OpenRead(path);
            },
        };

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, bytes);
        return path;
    }

    // A layer of one large file.
    private sealed class LayerOfOneFile(string name, int length)
        : BlobSource(new Descriptor(MediaTypes.OciLayer, Digest.Compute(Encoding.UTF8.GetBytes(name)), length))
    {
        public Digest DiffId => Digest.Compute(Tar());

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new MemoryStream(Tar()));

        private byte[] Tar()
        {
            var tar = new byte[TarBytes.End.Length + 512 + length];
            TarBytes.Header(name, '0', length).CopyTo(tar, 0);
            return tar;
        }
    }
}
