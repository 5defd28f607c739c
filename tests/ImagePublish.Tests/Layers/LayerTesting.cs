using System.Formats.Tar;
using System.IO.Compression;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Tests.Layers;

/// <summary>What the tests of this module share.</summary>
internal static class LayerTesting
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IReadOnlyList<LayerEntry> Read(
        TempFolder folder,
        LayerEntryDefaults? defaults = null,
        params IReadOnlyCollection<PublishItem> items
    ) => ReadFolder(folder.Path, defaults ?? new LayerEntryDefaults(), items);

    public static IReadOnlyList<LayerEntry> ReadFolder(string path, LayerEntryDefaults defaults, IReadOnlyCollection<PublishItem> items)
    {
        var folder = PublishFolder.List(path, defaults, Token);
        var tags = new FileFingerprints(new byte[FileFingerprints.KeySize]);
        tags.ComputeAsync(folder.Entries.Select(entry => entry.Content).OfType<FileOnDisk>(), Token).GetAwaiter().GetResult();
        var entries = folder.WithModes(folder.Entries, items, tags);
        Assert.Equal(folder.WithModes(folder.Entries, items, fingerprints: null), entries);
        return entries;
    }

    public static LayerInput Content(TempFolder folder, LayerEntryDefaults? defaults = null) =>
        LayerInput.Create("app", Read(folder, defaults));

    public static LayerEntry TextFile(string path, string text) =>
        new(path, LayerEntryKind.File) { Content = new FileInMemory(System.Text.Encoding.UTF8.GetBytes(text)) };

    public static async Task<byte[]> TarAsync(LayerInput content)
    {
        using var tar = new MemoryStream();
        await LayerTar.WriteAsync(content, tar, Token);
        return tar.ToArray();
    }

    public static async Task<(BuiltLayer Layer, byte[] Blob)> BuildAsync(
        LayerInput content,
        Compression compression,
        int? level = null,
        int parallelism = 4
    )
    {
        using var blob = new MemoryStream();
        var layer = await LayerBuilder.BuildAsync(
            content,
            new LayerBuildOptions(new LayerCompression(compression, level), ImageFormat.Oci) { Parallelism = parallelism },
            blob,
            Token
        );
        return (layer, blob.ToArray());
    }

    public static byte[] Gunzip(byte[] blob)
    {
        using var gzip = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        using var tar = new MemoryStream();
        gzip.CopyTo(tar);
        return tar.ToArray();
    }

    /// <summary>The entries of a tar as the framework's own reader sees them, with their data kept.</summary>
    public static List<TarEntry> Entries(byte[] tar)
    {
        using var reader = new TarReader(new MemoryStream(tar));
        var entries = new List<TarEntry>();
        while (reader.GetNextEntry(copyData: true) is { } entry)
            entries.Add(entry);
        return entries;
    }
}
