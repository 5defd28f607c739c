using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>A tar of a root file system, as debootstrap, Alpine's minirootfs or <c>docker export</c> give, as an image of one layer.</summary>
public static class RootFileSystemArchive
{
    /// <summary>Makes an image of it; the file itself is the layer.</summary>
    /// <param name="path">The tar's full path; it may be compressed with gzip or zstd.</param>
    /// <param name="platform">What it runs on: the file doesn't say.</param>
    /// <param name="format">The family of the image's media types.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The image.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: it is no tar, or none of a root file system; <c>IMG3107</c>: it can't be read.</exception>
    public static async Task<Image> OpenAsync(string path, Platform platform, ImageFormat format, CancellationToken cancellationToken)
    {
        var files = await TarFiles.ReadAsync(path, cancellationToken);
        if (files.IsEmpty)
            throw new ImagePublishException(DiagnosticCodes.ArchiveInvalid, $"'{path}' is not the tar of a root file system: it has no files.");
        var file = new FolderFiles.DiskFile(new FileInfo(path));
        var compression = await CompressedFile.DetectAsync(file, cancellationToken) ?? Compression.None;
        var digest = await HashAsync(file, Compression.None, cancellationToken);
        var diffId = compression == Compression.None ? digest : await HashAsync(file, compression, cancellationToken);
        var descriptor = new Descriptor(MediaTypes.Layer(format, compression), digest, file.Length);
        var config = new ImageConfig(platform.Architecture, platform.Os, new RootFs("layers", [diffId])) { Variant = platform.Variant, OsVersion = platform.OsVersion };
        var configBlob = MemoryBlobSource.Of(MediaTypes.Config(format), OciJson.Write(config));
        var manifest = new ImageManifest(configBlob.Descriptor, [descriptor]) { MediaType = MediaTypes.Manifest(format) };
        return new Image(
            MemoryBlobSource.Of(MediaTypes.Manifest(format), OciJson.Write(manifest)), configBlob, config, [new Layer(descriptor, diffId, new FileBlobSource(descriptor, path))]);
    }

    private static async Task<Digest> HashAsync(ArchiveFile file, Compression compression, CancellationToken cancellationToken)
    {
        await using var content = CompressedFile.Decompress(await file.OpenAsync(0, cancellationToken), compression);
        return Digest.FromSha256(await SHA256.HashDataAsync(content, cancellationToken));
    }
}
