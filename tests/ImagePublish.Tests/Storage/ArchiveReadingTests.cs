using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Storage;

/// <summary>How often the bytes of an archive are read, and what stays behind.</summary>
public sealed class ArchiveReadingTests : IDisposable
{
    private const string Area = "Archives";

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-archive-").FullName;
    private readonly CountedFiles counted = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Temporary => Path.Combine(folder, "tmp");

    private ArchiveOptions Options => new() { OpenFile = counted.Open, TemporaryFolder = Temporary };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [ReliabilityCase(Area, "a compressed archive of many layers", "it is decompressed once, whatever is read from it")]
    public async Task ACompressedArchiveIsInflatedOnce(string compression)
    {
        var layers = Enumerable.Range(0, 20).Select(_ => TarBuilder.Create(("file", RandomNumberGenerator.GetBytes(20_000)))).ToArray();
        var path = await WriteAsync(compression, DockerArchive(layers));

        using var archive = await ImageArchive.OpenAsync(path, Options, Cancel);
        var image = Assert.Single(Assert.Single(archive.Images).Platforms);
        foreach (var (layer, bytes) in image.Layers.Zip(layers))
        {
            Assert.Equal(bytes, await ReadAsync(layer, 0));
            Assert.Equal(bytes[1000..], await ReadAsync(layer, 1000));
        }

        Assert.InRange(counted.Bytes, 1, new FileInfo(path).Length + 16);
        Assert.Equal(0, counted.OpenStreams);
    }

    [Fact]
    [ReliabilityCase(Area, "an archive of several gigabytes that is not compressed", "only the headers of its entries are read")]
    public async Task OnlyTheHeadersOfAnUncompressedArchiveAreRead()
    {
        var image = SmallImage.Create("amd64", [.. Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetBytes(1 << 20))]);
        var path = Path.Combine(folder, "image.tar");
        await ArchiveWriter.WriteAsync([ArchiveImage.Create(image, "shop:1")], path, Cancel);

        using var archive = await ImageArchive.OpenAsync(path, Options, Cancel);

        Assert.Equal(image.Digest, archive.Images[0].Root.Descriptor.Digest);
        Assert.InRange(counted.Bytes, 1, new FileInfo(path).Length / 10);
        Assert.Equal(0, counted.OpenStreams);
    }

    [Fact]
    public async Task ALayerThatOccursSeveralTimesIsHashedOnce()
    {
        var layer = TarBuilder.Create(("file", RandomNumberGenerator.GetBytes(1 << 20)));
        var path = await WriteAsync("none", DockerArchive([layer], times: 20));

        using var archive = await ImageArchive.OpenAsync(path, Options, Cancel);

        Assert.Equal(20, archive.Images[0].Platforms[0].Layers.Count);
        Assert.InRange(counted.Bytes, 1, 2 * new FileInfo(path).Length);
    }

    [Fact]
    public async Task WhatIsInflatedIsGoneWithTheArchiveOrItsProcess()
    {
        var path = await WriteAsync("gzip", DockerArchive([TarBuilder.Create(("file", new byte[1000]))]));

        var archive = await ImageArchive.OpenAsync(path, Options, Cancel);

        // Elsewhere than on Windows a killed process leaves nothing, since the file has no name.
        if (!OperatingSystem.IsWindows())
            Assert.Empty(Directory.EnumerateFiles(Temporary));
        archive.Dispose();
        Assert.Empty(Directory.EnumerateFiles(Temporary));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "the disk is full while an archive is decompressed",
        "`IMG3107` says where there is no space, and nothing is left behind"
    )]
    public async Task AFullDiskLeavesNothing()
    {
        var path = await WriteAsync("gzip", DockerArchive([TarBuilder.Create(("file", new byte[1000]))]));
        var full = Options with { CreateTemporary = name => new FullDisk(name) };

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, full, Cancel));

        Assert.Equal("IMG3107", failure.Code.Id);
        Assert.Contains(Temporary, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Temporary));
        Assert.Equal(0, counted.OpenStreams);
    }

    [Fact]
    public async Task CancelledInflatingLeavesNothing()
    {
        var path = await WriteAsync("gzip", DockerArchive([TarBuilder.Create(("file", RandomNumberGenerator.GetBytes(1 << 20)))]));
        using var stop = new CancellationTokenSource();
        var cancelled = Options with
        {
            CreateTemporary = name =>
            {
                var file = new ArchiveOptions().CreateTemporary(name);
                stop.Cancel();
                return file;
            },
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImageArchive.OpenAsync(path, cancelled, stop.Token));

        Assert.Empty(Directory.EnumerateFiles(Temporary));
        Assert.Equal(0, counted.OpenStreams);
    }

    [Fact]
    [ReliabilityCase(Area, "a small archive that would fill the disk when decompressed", "`IMG3111` before the disk is full")]
    public async Task ADecompressionBombIsRefused()
    {
        var path = await WriteAsync("gzip", TarBuilder.Create(("zeros", new byte[4 << 20])));

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            ImageArchive.OpenAsync(path, Options with { FreeLength = 1 << 20, MaxRatio = 10 }, Cancel)
        );

        Assert.Equal("IMG3111", failure.Code.Id);
        Assert.Empty(Directory.EnumerateFiles(Temporary));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("none")]
    [ReliabilityCase(Area, "an archive that is cut off inside a layer", "`IMG3106`, and no file stays open")]
    public async Task AnArchiveThatIsCutOffIsRefusedAndNothingStaysOpen(string compression)
    {
        var path = Path.Combine(folder, "cut");
        var tar = TarBuilder.Create(("manifest.json", "[]"u8.ToArray()), ("last", RandomNumberGenerator.GetBytes(100_000)));
        var whole = await File.ReadAllBytesAsync(await WriteAsync(compression, tar), Cancel);
        await File.WriteAllBytesAsync(path, whole[..(whole.Length / 2)], Cancel);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, Options, Cancel));

        Assert.Equal("IMG3106", failure.Code.Id);
        Assert.Contains("cut short", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, counted.OpenStreams);
    }

    private static byte[] DockerArchive(byte[][] layers, int times = 1)
    {
        var all = Enumerable
            .Repeat(layers, times)
            .SelectMany(one => one.Select((layer, number) => (Path: $"{number}/layer.tar", Digest: Digest.Compute(layer))))
            .ToList();
        var config = OciJson.Write(new ImageConfig("amd64", "linux", new RootFs("layers", [.. all.Select(layer => layer.Digest)])));
        var manifest =
            $$"""[{"Config":"config.json","RepoTags":["acme/shop:1.0"],"Layers":[{{string.Join(',', all.Select(layer => $"\"{layer.Path}\""))}}]}]""";
        return TarBuilder.Create([
            .. layers.Select((layer, number) => ($"{number}/layer.tar", layer)),
            ("config.json", config),
            ("manifest.json", Encoding.UTF8.GetBytes(manifest)),
        ]);
    }

    private static async Task<byte[]> ReadAsync(Layer layer, long offset)
    {
        await using var content = await layer.Source!.OpenAsync(offset, Cancel);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }

    private async Task<string> WriteAsync(string compression, byte[] tar)
    {
        var path = Path.Combine(folder, $"archive.{compression}");
        await using var file = File.Create(path);
        await using Stream output = compression switch
        {
            "gzip" => new GZipStream(file, CompressionLevel.Fastest),
            "zstd" => new ZstdSharp.CompressionStream(file),
            _ => file,
        };
        await output.WriteAsync(tar, Cancel);
        return path;
    }

    private sealed class FullDisk(string path)
        : FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.DeleteOnClose,
            }
        )
    {
        public override void Write(byte[] array, int offset, int count) => throw new IOException("No space left on device");
    }

    private sealed class CountedFiles
    {
        public long Bytes { get; private set; }

        public int OpenStreams { get; private set; }

        public Stream Open(string path)
        {
            OpenStreams++;
            return new CountedFile(path, this);
        }

        private sealed class CountedFile(string path, CountedFiles counted) : ReadOnlyStream
        {
            private readonly FileStream file = new(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read | FileShare.Delete,
                bufferSize: 1,
                FileOptions.Asynchronous
            );
            private bool isClosed;

            public override bool CanSeek => true;

            public override long Length => file.Length;

            public override long Position
            {
                get => file.Position;
                set => file.Position = value;
            }

            public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

            public override int Read(Span<byte> buffer) => Count(file.Read(buffer));

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
                Count(await file.ReadAsync(buffer, cancellationToken));

            protected override void Dispose(bool disposing)
            {
                if (disposing && !isClosed)
                {
                    isClosed = true;
                    counted.OpenStreams--;
                    file.Dispose();
                }

                base.Dispose(disposing);
            }

            private int Count(int read)
            {
                counted.Bytes += read;
                return read;
            }
        }
    }
}
