using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Testing;
using ImagePublish.Tests.Foreign;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class LayerReaderTests
{
    private static readonly LayerInput Sample = LayerInput.Create(
        "app",
        [
            TextFile("app/" + new string('ü', 120), "long name"),
            TextFile("app/file", "content"),
            new LayerEntry("app/link", LayerEntryKind.SymbolicLink) { LinkTarget = new string('x', 200) },
        ]
    );

    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    public async Task WhatWasWrittenIsReadAgain(Compression compression)
    {
        var (layer, blob) = await BuildAsync(Sample, compression);

        var entries = await ReadAsync(blob, new LayerReaderOptions { DiffId = layer.DiffId });

        Assert.Equal(
            Sample.Entries.Select(entry => (entry.Path, entry.Kind.ToString(), entry.LinkTarget)),
            entries.Select(entry => (entry.Info.Path, entry.Info.Kind.ToString(), entry.Info.LinkTarget))
        );
        Assert.Equal("content", entries.Single(entry => entry.Info.Path == "app/file").Text);
    }

    [Fact]
    public async Task SeveralMembersAndFramesAreOneLayer()
    {
        var tar = await TarAsync(Sample);
        byte[] members = [.. Gzip(tar[..700]), .. Gzip(tar[700..])];
        using var zstd = new ZstdSharp.Compressor();
        byte[] frames = [.. zstd.Wrap(tar.AsSpan(0, 700)), .. zstd.Wrap(tar.AsSpan(700))];

        Assert.Equal(Sample.Entries.Count, (await ReadAsync(members, new LayerReaderOptions { DiffId = Digest.Compute(tar) })).Count);
        Assert.Equal(Sample.Entries.Count, (await ReadAsync(frames, new LayerReaderOptions { DiffId = Digest.Compute(tar) })).Count);
    }

    [Fact]
    public async Task ForeignTarsAreUnderstood()
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Gnu, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.Directory, "./"), Token);
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, "./etc/" + new string('n', 150)), Token);
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.HardLink, "/bin/sh") { LinkName = "./bin/dash" }, Token);
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.CharacterDevice, "dev/null"), Token);
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, "etc/.wh.passwd"), Token);
            await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, "var/.wh..wh..opq"), Token);
        }

        var entries = (await ReadAsync(tar.ToArray(), new LayerReaderOptions())).ConvertAll(entry => entry.Info);

        Assert.Equal(
            [
                ("etc/" + new string('n', 150), LayerEntryInfoKind.File, null),
                ("bin/sh", LayerEntryInfoKind.HardLink, "bin/dash"),
                ("dev/null", LayerEntryInfoKind.Other, null),
                ("etc/.wh.passwd", LayerEntryInfoKind.File, null),
                ("var/.wh..wh..opq", LayerEntryInfoKind.File, null),
            ],
            entries.Select(entry => (entry.Path, entry.Kind, entry.LinkTarget))
        );
        Assert.Equal([null, null, null, "etc/passwd", "var"], entries.Select(entry => entry.Removes));
        Assert.True(entries[4].IsOpaqueWhiteout);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(511)]
    [InlineData(512)]
    [ReliabilityCase("Base images", "a layer that ends with its last file, as `umoci insert` writes it", "it is read, as engines read it")]
    public async Task ATarMayEndWithItsLastFile(int length)
    {
        var file = TarBytes.Entry("etc/motd", '0', Encoding.UTF8.GetBytes("welcome"));
        byte[] tar = [.. TarBytes.File("bin/sh", [1]), .. file[..(512 + length)]];

        foreach (var blob in new[] { tar, Gzip(tar) })
        {
            var entries = await ReadAsync(blob, new LayerReaderOptions { DiffId = Digest.Compute(tar) });
            Assert.Equal(["bin/sh", "etc/motd"], entries.Select(entry => entry.Info.Path));
            Assert.Equal("welcome", entries[^1].Text);
        }

        // A stream that can seek is only read where there are headers.
        using var archive = new BudgetedTarReader(new MemoryStream(tar), LayerReader.NewBudget());
        Assert.Equal(["bin/sh", "etc/motd", null], [archive.Next()?.Name, archive.Next()?.Name, archive.Next()?.Name]);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(512 + 6)]
    [InlineData((2 * 512) + 100)]
    [ReliabilityCase("Base images", "a layer that ends within a file or a header", "IMG3005")]
    public async Task ATarMayNotEndWithinAHeaderOrAFile(int length)
    {
        byte[] tar = [.. TarBytes.Entry("etc/motd", '0', Encoding.UTF8.GetBytes("welcome")), .. TarBytes.Entry("bin/sh", '0', [1])];

        await AssertInvalidAsync(Gzip(tar[..length]), new LayerReaderOptions());
    }

    [Fact]
    public async Task AnotherDiffIdIsAnError()
    {
        var (_, blob) = await BuildAsync(Sample, Compression.Gzip);

        await AssertInvalidAsync(blob, new LayerReaderOptions { DiffId = Digest.Compute("other"u8) });
    }

    [Fact]
    public async Task ABombIsAnError()
    {
        var bomb = LayerInput.Create(
            "app",
            [new LayerEntry("zeros", LayerEntryKind.File) { Content = new FileInMemory(new byte[20_000_000]) }]
        );
        var (_, gzip) = await BuildAsync(bomb, Compression.Gzip);
        var (_, zstd) = await BuildAsync(bomb, Compression.Zstd);

        await AssertInvalidAsync(gzip, new LayerReaderOptions { FreeLength = 1 << 20 });
        await AssertInvalidAsync(zstd, new LayerReaderOptions { FreeLength = 1 << 20 });
        await AssertInvalidAsync(gzip, new LayerReaderOptions { MaxLength = 1 << 20 });
        Assert.Single(await ReadAsync(gzip, new LayerReaderOptions()));
    }

    [Fact]
    public async Task TooManyEntriesAreAnError() =>
        await AssertInvalidAsync(await TarAsync(Sample), new LayerReaderOptions { MaxEntries = 3 });

    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    public async Task ADamagedLayerIsAnErrorAndNothingElse(Compression compression)
    {
        var (layer, blob) = await BuildAsync(Sample, compression);
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var damaged = blob.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            if (round % 4 == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            try
            {
                await ReadAsync(damaged, new LayerReaderOptions { DiffId = layer.DiffId });
            }
            catch (ImagePublishException failure)
            {
                Assert.Equal(DiagnosticCodes.LayerInvalid, failure.Code);
            }
        }
    }

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("app/../../etc/passwd")]
    public async Task APathThatLeavesTheImageIsAnError(string path)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path), Token);

        await AssertInvalidAsync(tar.ToArray(), new LayerReaderOptions());
    }

    private static async Task AssertInvalidAsync(byte[] blob, LayerReaderOptions options) =>
        Assert.Equal(DiagnosticCodes.LayerInvalid, (await Assert.ThrowsAsync<ImagePublishException>(() => ReadAsync(blob, options))).Code);

    private static async Task<List<(LayerEntryInfo Info, string Text)>> ReadAsync(byte[] blob, LayerReaderOptions options)
    {
        var entries = new List<(LayerEntryInfo, string)>();
        await foreach (var entry in LayerReader.ReadAsync(new MemoryStream(blob), options, Token))
        {
            using var text = new MemoryStream();
            if (entry.Content is not null)
                await entry.Content.CopyToAsync(text, Token);
            entries.Add((entry, Encoding.UTF8.GetString(text.ToArray())));
        }

        return entries;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return blob.ToArray();
    }
}
