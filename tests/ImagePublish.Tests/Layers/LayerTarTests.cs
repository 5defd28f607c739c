using System.Formats.Tar;
using System.Text;
using CsCheck;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class LayerTarTests
{
    private static readonly Gen<string> Name = Gen.OneOf(
            Gen.Char['a', 'z'].Array[1, 12],
            Gen.Char['a', 'z'].Array[90, 120],
            Gen.Char["ü字- é~"].Array[1, 70]
        )
        .Select(letters => new string(letters));

    private static readonly Gen<LayerEntry> Entry = Gen.Select(
        Name.Array[1, 4],
        Gen.Byte.Array[0, 2000],
        Gen.Int[0, 5_000_000],
        Gen.Long[0, 1L << 33],
        Gen.Bool,
        (path, bytes, id, time, isLink) =>
            new LayerEntry("app/" + string.Join('/', path), isLink ? LayerEntryKind.SymbolicLink : LayerEntryKind.File)
            {
                Uid = id,
                Gid = id / 2,
                Modified = DateTimeOffset.UnixEpoch.AddSeconds(time),
                LinkTarget = isLink ? string.Join('/', path.Reverse()) : null,
                Content = isLink ? null : new FileInMemory(bytes),
            }
    );

    [Fact]
    public async Task AnyTreeComesBackAsItWasThroughAnotherReader() =>
        await Entry
            .Array[0, 12]
            .SampleAsync(
                async entries =>
                {
                    LayerInput content;
                    try
                    {
                        content = LayerInput.Create("app", entries);
                    }
                    catch (ImagePublishException failure) when (failure.Code == DiagnosticCodes.InvalidEntry)
                    {
                        return; // The same path twice.
                    }

                    var (layer, blob) = await BuildAsync(content, Compression.Gzip, level: 1, parallelism: 2);
                    var tar = Gunzip(blob);

                    Assert.Equal(Digest.Compute(tar), layer.DiffId);
                    Assert.Equal(content.Entries.Select(Shown), Entries(tar).Select(Shown));
                },
                iter: 200,
                threads: 2
            );

    [Fact]
    public async Task EveryHeaderFieldIsSet()
    {
        var tar = await TarAsync(LayerInput.Create("app", [TextFile("x", "abc")]));

        Assert.Equal("x", Field(tar, 0, 100));
        Assert.Equal("0000644", Field(tar, 100, 8));
        Assert.Equal("0000000", Field(tar, 108, 8));
        Assert.Equal("0000000", Field(tar, 116, 8));
        Assert.Equal("00000000003", Field(tar, 124, 12));
        Assert.Equal("00000000001", Field(tar, 136, 12));
        Assert.Equal("0", Field(tar, 156, 1));
        Assert.Equal("", Field(tar, 157, 100));
        Assert.Equal("ustar", Field(tar, 257, 6));
        Assert.Equal("00", Field(tar, 263, 2));
        Assert.Equal(new byte[512 - 265], tar[265..512]);
        Assert.Equal("abc", Field(tar, 512, 512));
        Assert.Equal(new byte[10240 - 1024], tar[1024..]);
    }

    [Fact]
    public async Task DirectoriesHaveATrailingSlashAndNoTimeOfTheirOwn()
    {
        var tar = await TarAsync(LayerInput.Create("app", [new LayerEntry("app", LayerEntryKind.Directory)]));

        Assert.Equal("app/", Field(tar, 0, 100));
        Assert.Equal("0000755", Field(tar, 100, 8));
        Assert.Equal("00000000001", Field(tar, 136, 12));
        Assert.Equal("5", Field(tar, 156, 1));
    }

    [Fact]
    public async Task AFileOf9GiBSaysSoInItsHeader()
    {
        const long length = 9L << 30;
        using var start = new FirstBytes(2048);
        var content = LayerInput.Create("app", [new LayerEntry("big", LayerEntryKind.File) { Content = new Zeros(length) }]);

        await Assert.ThrowsAsync<IOException>(() => LayerTar.WriteAsync(content, start, Token));

        Assert.Equal("x", Field(start.Bytes, 156, 1));
        Assert.Equal("19 size=9663676416\n", Field(start.Bytes, 512, 512));
        Assert.Equal([0x80, 0, 0, 0, 0, 0, 0, 2, 0x40, 0, 0, 0], start.Bytes[(1024 + 124)..(1024 + 136)]);
    }

    [Theory]
    [InlineData(10, "shorter")]
    [InlineData(2_000_000, "shorter")]
    [InlineData(0, "longer")]
    public async Task AFileWhoseLengthChangedIsAnError(int expectedMore, string word)
    {
        using var folder = new TempFolder();
        var path = folder.File("changing.log", new byte[3_000_000]);
        var expected = 3_000_000 + expectedMore - (word == "longer" ? 1 : 0);
        var content = LayerInput.Create(
            "app",
            [new LayerEntry("app/changing.log", LayerEntryKind.File) { Content = new FileOnDisk(path, expected) }]
        );

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => LayerTar.DiffIdAsync(content, Token));

        Assert.Equal(DiagnosticCodes.UnreadableFile, failure.Code);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Contains(word, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEmptyFileThatHasGrownIsAnError()
    {
        using var folder = new TempFolder();
        folder.File("log", "");
        var content = Content(folder);
        folder.File("log", "x");

        Assert.Equal(
            DiagnosticCodes.UnreadableFile,
            (await Assert.ThrowsAsync<ImagePublishException>(() => LayerTar.DiffIdAsync(content, Token))).Code
        );
    }

    [Fact]
    public async Task AFileThatIsRewrittenMeanwhileIsAnError()
    {
        using var folder = new TempFolder();
        var path = folder.File("large", new byte[20_000_000]);
        var content = Content(folder);
        using var output = new Rewriting(path);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => LayerTar.WriteAsync(content, output, Token));

        Assert.Contains("was written to", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFileThatIsGoneIsAnError()
    {
        using var folder = new TempFolder();
        var path = folder.File("gone", "x");
        var content = Content(folder);
        File.Delete(path);

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => LayerTar.DiffIdAsync(content, Token));

        Assert.Equal(DiagnosticCodes.UnreadableFile, failure.Code);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
    }

    private static string Shown(LayerEntry entry) =>
        $"{entry.Path}{(entry.Kind == LayerEntryKind.Directory ? "/" : "")} {entry.Kind} {entry.Mode} {entry.Uid}:{entry.Gid} {entry.Modified.ToUnixTimeSeconds()} {entry.LinkTarget} "
        + (entry.Content is FileInMemory file ? Convert.ToHexString(file.Bytes.Span) : "");

    private static string Shown(TarEntry entry)
    {
        using var data = new MemoryStream();
        entry.DataStream?.CopyTo(data);
        var kind =
            entry.EntryType == TarEntryType.RegularFile ? LayerEntryKind.File : Enum.Parse<LayerEntryKind>(entry.EntryType.ToString());
        return $"{entry.Name} {kind} {entry.Mode} {entry.Uid}:{entry.Gid} {entry.ModificationTime.ToUnixTimeSeconds()} {entry.LinkName} {Convert.ToHexString(data.ToArray())}";
    }

    private static string Field(byte[] tar, int offset, int length) => Encoding.ASCII.GetString(tar, offset, length).TrimEnd('\0', ' ');

    private sealed record Zeros(long Length) : FileContent(Length)
    {
        public override string Source => "zeros";

        public override Stream Open() => new EndlessZeros();
    }

    private sealed class EndlessZeros : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }
    }

    /// <summary>Fails after the first write: enough to see the header.</summary>
    private sealed class FirstBytes(int count) : MemoryStream
    {
        public byte[] Bytes { get; private set; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Bytes = buffer[..count].ToArray();
            throw new IOException("Enough");
        }
    }

    /// <summary>
    /// Writes to a file in the middle of its being read; reading ahead is bounded, so that the end has not been read yet.
    /// </summary>
    private sealed class Rewriting(string path) : MemoryStream
    {
        private bool done;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!done)
                File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            done = true;
            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
