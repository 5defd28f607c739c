using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Tests.Oci;

/// <summary>Debian's xz makes the files; the decoder must give back what went in, and find every damage.</summary>
public sealed class XzStreamTests
{
    private const string Area = "Packages";
    private const int Mebibyte = 1 << 20;

    public static TheoryData<string> Options =>
        [
            .. Enumerable.Range(0, 10).SelectMany(level => new[] { $"-{level}", $"-{level}e" }),
            "--check=none",
            "--check=crc32",
            "--check=crc64",
            "--check=sha256",
            "--block-size=300000",
            "-T2 --block-size=500000",
            "--lzma2=preset=6,dict=4KiB",
            "--lzma2=preset=6,dict=1MiB,lc=0,lp=4,pb=0",
            "--lzma2=preset=6,lc=4,lp=0,pb=4",
            "--lzma2=preset=6,lc=1,lp=3,pb=1",
            "--lzma2=preset=9,nice=273,mf=bt4",
        ];

    [Theory]
    [MemberData(nameof(Options))]
    [ReliabilityCase(Area, "a package is compressed with xz, at any preset and with any check", "read as Debian's xz reads it")]
    public void WhatXzWritesIsRead(string options)
    {
        var content = Content(3 * Mebibyte);

        Assert.True(Read(Xz.Compress(content, options.Split(' '))).AsSpan().SequenceEqual(content));
    }

    [Fact]
    public void EmptyContentIsRead()
    {
        Assert.Empty(Read(Xz.Compress([])));
        Assert.Equal([42], Read(Xz.Compress([42])));
    }

    [Fact]
    public void ContentThatCanNotBeCompressedIsRead()
    {
        var content = new byte[3 * Mebibyte];
        new Random(1).NextBytes(content);

        Assert.True(Read(Xz.Compress(content)).AsSpan().SequenceEqual(content));
    }

    [Fact]
    public void StreamsInARowAreReadAsOne()
    {
        var (first, second) = (Xz.Compress("first "u8.ToArray()), Xz.Compress("second"u8.ToArray(), "--check=sha256"));

        Assert.Equal("first second", Encoding.ASCII.GetString(Read([.. first, .. new byte[8], .. second, .. new byte[4]])));
        Assert.Throws<EndOfStreamException>(() => Read([.. first, .. new byte[3]]));
        Assert.Throws<InvalidDataException>(() => Read([.. first, .. "more"u8, .. new byte[8]]));
    }

    [Fact]
    public void EveryChangedByteIsFound()
    {
        var file = Xz.Compress(Content(3000), "--check=sha256", "--block-size=1000");

        for (var at = 0; at < file.Length; at++)
        {
            var damaged = file.ToArray();
            damaged[at] ^= 1;
            Assert.True(Fails(damaged), $"a change at {at} of {file.Length}");
        }
    }

    [Fact]
    public void EveryCutIsFound()
    {
        var file = Xz.Compress(Content(3000), "--block-size=1000");

        for (var length = 0; length < file.Length; length++)
            Assert.True(Fails(file[..length]), $"a cut at {length} of {file.Length}");
    }

    [Theory]
    [InlineData("--lzma2=preset=1,dict=65MiB", "64 MiB")]
    [InlineData("--x86 --lzma2", "filters")]
    [InlineData("--format=lzma", "does not begin")]
    public void WhatPackagesDoNotUseIsRefused(string options, string reason)
    {
        var failure = Assert.Throws<InvalidDataException>(() => Read(Xz.Compress(Content(10_000), options.Split(' '))));

        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAnnouncedDictionaryTakesNoMemory()
    {
        var file = Xz.Compress("a few bytes"u8.ToArray(), "-9");
        Read(file);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Read(file);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Mebibyte);
    }

    private static bool Fails(byte[] file)
    {
        try
        {
            Read(file);
            return false;
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            return true;
        }
    }

    private static byte[] Read(byte[] file)
    {
        using var content = new MemoryStream();
        using (var xz = new XzStream(new MemoryStream(file)))
            xz.CopyTo(content);
        return content.ToArray();
    }

    // Words, noise, long runs, and parts that come again far behind.
    private static byte[] Content(int length)
    {
        var random = new Random(7);
        using var content = new MemoryStream();
        while (content.Length < length)
        {
            switch (random.Next(4))
            {
                case 0:
                    for (var word = 0; word < 200; word++)
                        content.Write(Encoding.ASCII.GetBytes($"word{random.Next(300)} "));
                    break;
                case 1:
                    var noise = new byte[random.Next(300)];
                    random.NextBytes(noise);
                    content.Write(noise);
                    break;
                case 2:
                    content.Write(new byte[random.Next(5000)]);
                    break;
                case 3 when content.Length > 0:
                    var start = random.Next((int)content.Length);
                    var count = Math.Min(random.Next(3000), (int)content.Length - start);
                    content.Write(content.GetBuffer().AsSpan(start, count));
                    break;
            }
        }

        return content.ToArray()[..length];
    }
}
