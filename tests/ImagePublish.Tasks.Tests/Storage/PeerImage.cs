using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagePublish.Oci;

namespace ImagePublish.Tasks.Tests.Storage;

/// <summary>A small image with real layers that every tool takes.</summary>
internal static class PeerImage
{
    public static Image Create(string architecture, params string[] texts)
    {
        Layer[] layers = [.. texts.Select(CreateLayer)];
        var config = new ImageConfig(architecture, "linux", new RootFs("layers", [.. layers.Select(layer => layer.DiffId)]))
        {
            Config = new ExecutionConfig { Cmd = ["/none"] },
        };
        var configBlob = MemoryBlobSource.Create(MediaTypes.OciConfig, OciJson.Write(config));
        var manifest = new ImageManifest(configBlob.Descriptor, [.. layers.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.OciManifest,
        };
        return new Image(MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest)), configBlob, config, layers);
    }

    public static MemoryBlobSource Index(params IEnumerable<Image> images) =>
        MemoryBlobSource.Create(
            MediaTypes.OciIndex,
            OciJson.Write(new ImageIndex([.. images.Select(image => image.IndexEntry)]) { MediaType = MediaTypes.OciIndex })
        );

    private static Layer CreateLayer(string text)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            var entry = new UstarTarEntry(TarEntryType.RegularFile, text)
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                ModificationTime = DateTimeOffset.UnixEpoch,
            };
            writer.WriteEntry(entry);
        }

        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar.ToArray());
        var blob = MemoryBlobSource.Create(MediaTypes.Layer(ImageFormat.Oci, Compression.Gzip), compressed.ToArray());
        return new Layer(blob.Descriptor, Digest.Compute(tar.ToArray()), blob);
    }
}
