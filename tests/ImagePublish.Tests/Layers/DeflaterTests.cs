using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Layers.Deflate;

namespace ImagePublish.Tests.Layers;

/// <summary>What our own deflate writes is read back by the runtime's zlib, whatever the data.</summary>
public sealed class DeflaterTests
{
    private const int PieceLength = 200_000;

    private const string Golden = "be850d660cb7e3933030c3e3eb36939ba3332fb6fbb4d8b72c8f9149f4e67b80";

    private static readonly byte[] Lines = Encoding.UTF8.GetBytes(
        string.Join('\n', Enumerable.Range(0, 20_000).Select(number => $"{number} {number * 7919 % 10_007:x} layer {number % 13}"))
    );

    private readonly Deflater deflater = new();

    [Fact]
    public void EveryShortPieceIsReadBack()
    {
        var random = new Random(1);
        for (var length = 0; length < 600; length++)
        {
            foreach (var letters in (int[])[1, 2, 7, 60, 256])
                AssertReadBack(Letters(random, length, letters));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(256)]
    public void LongStreamsOfAnyNumberOfLettersAreReadBack(int letters) => AssertReadBack(Letters(new Random(letters), 1_500_000, letters));

    [Fact]
    public void CopiesFromEveryDistanceAndOfEveryLengthAreReadBack()
    {
        var random = new Random(2);
        var data = Letters(random, 3_000_000, 256);
        for (var at = Deflater.WindowSize + 300; at < data.Length - 300; )
        {
            var length = random.Next(1, 300);
            var distance = random.Next(4) switch
            {
                0 => random.Next(1, 10),
                1 => random.Next(1, 10_000),
                2 => random.Next(32_700, 32_800),
                _ => random.Next(1, 40_000),
            };
            for (var i = 0; i < length && at >= distance; i++, at++)
                data[at] = data[at - distance];
            at += random.Next(0, 20);
        }

        var compressed = AssertReadBack(data);
        Assert.True(compressed < data.Length / 2, $"{compressed} bytes");
    }

    [Fact]
    public void DataThatChangesItsKindIsReadBack()
    {
        var random = new Random(3);
        using var data = new MemoryStream();
        for (var part = 0; part < 120; part++)
            data.Write(
                random.Next(3) == 0 ? new byte[random.Next(1, 70_000)] : Letters(random, random.Next(1, 30_000), random.Next(1, 257))
            );

        AssertReadBack(data.ToArray());
    }

    [Fact]
    public void RandomDataGrowsByNoMoreThanItsHeaders()
    {
        var data = Letters(new Random(4), 1_000_000, 256);

        Assert.InRange(AssertReadBack(data), data.Length, data.Length + 1000);
    }

    [Fact]
    public void AnAssemblyIsSmallerThanByZlibsUsualLevel()
    {
        var assembly = File.ReadAllBytes(typeof(Enumerable).Assembly.Location);
        using var zlib = new MemoryStream();
        using (var stream = new DeflateStream(zlib, new ZLibCompressionOptions { CompressionLevel = 6 }, leaveOpen: true))
            stream.Write(assembly);

        Assert.InRange(AssertReadBack(assembly), 1, (int)zlib.Length);
    }

    [Fact]
    public void APieceRefersToWhatCameBefore()
    {
        var random = Letters(new Random(5), 30_000, 256);
        var (alone, after) = (
            Compress(random, at: 0, random.Length).Length,
            Compress([.. random, .. random], random.Length, random.Length).Length
        );

        Assert.True(after < alone / 100, $"{after} of {alone} bytes");
    }

    /// <summary>
    /// Digests of layers depend on it: where this fails, and rightly, <see cref="Deflater.Version"/> is to be counted up.
    /// </summary>
    [Fact]
    public void TheBytesAreTheSameOnEveryMachine() =>
        Assert.Equal(Golden, Convert.ToHexStringLower(SHA256.HashData(Compress(Lines, at: 0, Lines.Length))));

    [Theory]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    [InlineData("DOTNET_EnableAVX")]
    [ReliabilityCase("Files", "a processor without vector instructions", "layers have the same bytes")]
    public async Task TheBytesAreTheSameWithoutVectorInstructions(string feature)
    {
        using var folder = new TempFolder();

        var lines = await TestingProcess.RunAsync((feature, "0"), "deflate", folder.File("lines", Lines));

        Assert.Equal([$"sha256:{Golden}"], lines);
    }

    [Fact]
    public void TheSameDeflaterGivesTheSameBytesAgain()
    {
        var data = Letters(new Random(6), 100_000, 30);
        var first = Compress(data, at: 0, data.Length);
        Compress(Letters(new Random(7), PieceLength, 256), at: 0, PieceLength);

        Assert.Equal(first, Compress(data, at: 0, data.Length));
    }

    [Theory]
    [InlineData(Deflater.WindowSize - 1, 0, 10_000)]
    [InlineData(Deflater.WindowSize + 1000, Deflater.WindowSize + 1, 10_000)]
    [InlineData(Deflater.WindowSize + 1000, -1, 10_000)]
    [InlineData(Deflater.WindowSize + 1000, 0, 1999)]
    public void MemoryThatIsTooSmallIsRefused(int length, int history, int output) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => deflater.Compress(new byte[length], history, new byte[output]));

    private static byte[] Letters(Random random, int length, int letters)
    {
        var data = new byte[length];
        for (var i = 0; i < length; i++)
            data[i] = (byte)(letters == 256 ? random.Next(256) : 'a' + random.Next(letters));
        return data;
    }

    // In pieces, each seeing what came before, as the pipeline does. Returns the length.
    private int AssertReadBack(byte[] data)
    {
        using var compressed = new MemoryStream();
        for (var at = 0; at < Math.Max(1, data.Length); at += PieceLength)
            compressed.Write(Compress(data, at, Math.Min(PieceLength, data.Length - at)));
        compressed.Write([0x03, 0x00]);
        compressed.Position = 0;
        using var stream = new DeflateStream(compressed, CompressionMode.Decompress);
        var back = new byte[data.Length];
        stream.ReadExactly(back);
        Assert.True(back.AsSpan().SequenceEqual(data), $"{data.Length} bytes come back otherwise");
        Assert.Equal(-1, stream.ReadByte());
        return (int)compressed.Length - 2;
    }

    // The window before the stream's begin is full of what was there before.
    private byte[] Compress(byte[] data, int at, int length)
    {
        var history = Math.Min(at, Deflater.WindowSize);
        var memory = new byte[Deflater.WindowSize + length];
        memory.AsSpan().Fill((byte)'a');
        data.AsSpan(at - history, history + length).CopyTo(memory.AsSpan(Deflater.WindowSize - history));
        var output = new byte[Deflater.MaxSize(length)];
        return output[..deflater.Compress(memory, history, output)];
    }
}
