using ImagePublish.Oci;

namespace ImagePublish.Tests.Oci;

/// <summary>How content is read to be hashed.</summary>
public sealed class DigestReadingTests
{
    [Fact]
    public async Task AStreamIsReadInLargePieces()
    {
        var bytes = new byte[1_000_000];
        Random.Shared.NextBytes(bytes);
        using var content = new CountedReads(bytes);

        var digest = await Digest.ComputeAsync(content, TestContext.Current.CancellationToken);

        Assert.Equal(Digest.Compute(bytes), digest);
        Assert.InRange(content.Reads, 1, 5);
    }

    private sealed class CountedReads(byte[] bytes) : MemoryStream(bytes)
    {
        public int Reads { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads++;
            return base.ReadAsync(buffer, cancellationToken);
        }
    }
}
