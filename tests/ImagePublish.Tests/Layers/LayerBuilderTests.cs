using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class LayerBuilderTests
{
    private static readonly LayerInput Large = LayerInput.Create(
        "app",
        [
            new LayerEntry("app/text", LayerEntryKind.File)
            {
                Content = new FileInMemory(Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(0, 800_000)))),
            },
            new LayerEntry("app/noise", LayerEntryKind.File) { Content = new FileInMemory(Noise(3_000_001)) },
            new LayerEntry("app/zeros", LayerEntryKind.File) { Content = new FileInMemory(new byte[5_000_000]) },
        ]
    );

    [Fact]
    public void EveryCompressionHasAnEncodingAKeyAndAMediaTypeOfItsOwn()
    {
        LayerCompression[] all = [.. Enum.GetValues<Compression>().Select(one => new LayerCompression(one, Level: null))];

        Assert.Distinct(all.Select(one => one.Key));
        Assert.Distinct(all.Select(one => one.CreateEncoding().GetType()));
        Assert.Distinct(all.Select(one => MediaTypes.Layer(ImageFormat.Oci, one.Compression)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(9)]
    public async Task AGzipBlobIsOneMemberThatHoldsTheTar(int level)
    {
        var tar = await TarAsync(Large);

        var (layer, blob) = await BuildAsync(Large, Compression.Gzip, level);

        Assert.Equal(tar, Gunzip(blob));
        Assert.Equal(Digest.Compute(tar), layer.DiffId);
        Assert.Equal(new Descriptor(MediaTypes.OciLayer + "+gzip", Digest.Compute(blob), blob.Length), layer.Descriptor);
        Assert.Equal(tar.Length, BitConverter.ToInt32(blob, blob.Length - 4));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(12)]
    public async Task AZstdBlobHoldsTheTar(int level)
    {
        var tar = await TarAsync(Large);

        var (layer, blob) = await BuildAsync(Large, Compression.Zstd, level);

        using var zstd = new ZstdSharp.DecompressionStream(new MemoryStream(blob));
        using var read = new MemoryStream();
        await zstd.CopyToAsync(read, Token);
        Assert.Equal(tar, read.ToArray());
        Assert.Equal(new Descriptor(MediaTypes.OciLayer + "+zstd", Digest.Compute(blob), blob.Length), layer.Descriptor);
    }

    [Fact]
    public async Task WithoutCompressionTheBlobIsTheTar()
    {
        var (layer, blob) = await BuildAsync(Large, Compression.None);

        Assert.Equal(layer.DiffId, layer.Descriptor.Digest);
        Assert.Equal(await LayerTar.DiffIdAsync(Large, Token), layer.DiffId);
        Assert.Equal(await TarAsync(Large), blob);
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.None)]
    public async Task TheNumberOfCoresDoesNotChangeTheBytes(Compression compression)
    {
        var (one, _) = await BuildAsync(Large, compression, parallelism: 1);
        var (four, _) = await BuildAsync(Large, compression, parallelism: 4);
        var (many, _) = await BuildAsync(Large, compression, parallelism: 64);

        Assert.Equal(one, four);
        Assert.Equal(one, many);
    }

    [Fact]
    public async Task DockersFamilyHasNoZstd()
    {
        var failure = await Assert.ThrowsAsync<ImagePublishException>(() =>
            LayerBuilder.BuildAsync(Large, new LayerCompression(Compression.Zstd, null), ImageFormat.Docker, Stream.Null, Token)
        );

        Assert.Equal(DiagnosticCodes.InvalidValue, failure.Code);
    }

    [Fact]
    public async Task DockersFamilyHasItsOwnMediaTypes()
    {
        var layer = await LayerBuilder.BuildAsync(
            Large,
            new LayerCompression(Compression.Gzip, null),
            ImageFormat.Docker,
            Stream.Null,
            Token
        );

        Assert.Equal(MediaTypes.DockerLayer + ".gzip", layer.Descriptor.MediaType);
    }

    [Theory]
    [InlineData(Compression.Gzip, 10)]
    [InlineData(Compression.Gzip, -1)]
    [InlineData(Compression.Zstd, 0)]
    [InlineData(Compression.Zstd, 23)]
    public void ALevelThatDoesNotExistIsAnError(Compression compression, int level) =>
        Assert.Equal(
            DiagnosticCodes.InvalidValue,
            Assert.Throws<ImagePublishException>(() => new LayerCompression(compression, level)).Code
        );

    [Fact]
    public void TheCacheKeySaysWhatDecidesTheBytes()
    {
        Assert.NotEqual(new LayerCompression(Compression.Gzip, null).Key, new LayerCompression(Compression.Gzip, 6).Key);
        Assert.NotEqual(new LayerCompression(Compression.Gzip, 5).Key, new LayerCompression(Compression.Gzip, 6).Key);
        Assert.NotEqual(new LayerCompression(Compression.Zstd, 6).Key, new LayerCompression(Compression.Gzip, 6).Key);
        Assert.Contains(Environment.Version.ToString(), new LayerCompression(Compression.Gzip, 6).Key, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.Version.ToString(), new LayerCompression(Compression.Gzip, null).Key, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.None)]
    public async Task ABrokenOutputEndsTheWorkWithItsOwnError(Compression compression)
    {
        using var full = new FullDisk(1_500_000);

        await Assert.ThrowsAsync<IOException>(() =>
            LayerBuilder.BuildAsync(Large, new LayerCompression(compression, null), ImageFormat.Oci, full, Token)
        );
    }

    [Fact]
    public async Task CancellingEndsTheWork()
    {
        using var cancel = new CancellationTokenSource();
        using var full = new FullDisk(1_500_000, cancel.Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            LayerBuilder.BuildAsync(Large, new LayerCompression(Compression.Gzip, null), ImageFormat.Oci, full, cancel.Token)
        );
    }

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private sealed class FullDisk(int capacity, Action? whenFull = null) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Length + buffer.Length > capacity && whenFull is null)
                throw new IOException("No space left on device");
            if (Length + buffer.Length > capacity)
                whenFull!();
            return base.WriteAsync(buffer, CancellationToken.None);
        }
    }
}
