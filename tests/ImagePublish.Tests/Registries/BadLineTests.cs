using System.Security.Cryptography;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Registries;

/// <summary>A large layer over a line that keeps breaking.</summary>
public sealed class BadLineTests
{
    private const long Size = 2_000_000_000;
    private const long Break = 200_000_000;

    [Fact]
    [ReliabilityCase("Upload", "2 GB over a connection that is lost every 200 MB", "uploaded, with at most 15% more bytes than the layer")]
    public async Task TwoGigabytesArriveOverALineThatBreaksEvery200Megabytes()
    {
        await using var bench = await RegistryBench.StartAsync(options => options.DiscardBlobsLargerThan = 1 << 20);
        bench.Server.Line.BreakAfterRequestBytes = Break;
        var layer = new Pattern(Size);

        var push = await bench.PushAsync(layer);

        bench.HasBlob(layer);
        bench.HasNoOpenUpload();
        Assert.InRange(bench.Server.Line.Breaks, 5, 15);
        Assert.InRange(push.UploadedBytes, Size, (long)(Size * 1.15));
        Assert.InRange(bench.Server.Requests.UploadedBytes, Size, (long)(Size * 1.15));
    }

    /// <summary>One random mebibyte, again and again.</summary>
    private sealed class Pattern(long size) : BlobSource(new Descriptor("application/vnd.oci.image.layer.v1.tar", DigestOf(size), size))
    {
        private static readonly byte[] Block = RegistryBench.Bytes(1 << 20);

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new PatternStream(Block, offset, Descriptor.Size));

        private static Digest DigestOf(long size)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var left = size; left > 0; left -= Block.Length)
                hash.AppendData(Block, 0, (int)Math.Min(left, Block.Length));
            return Digest.FromSha256(hash.GetHashAndReset());
        }
    }

    private sealed class PatternStream(byte[] block, long offset, long size) : MemoryStream
    {
        private long at = offset;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var within = (int)(at % block.Length);
            var count = (int)Math.Min(Math.Min(buffer.Length, block.Length - within), size - at);
            block.AsMemory(within, count).CopyTo(buffer);
            at += count;
            return ValueTask.FromResult(count);
        }
    }
}
