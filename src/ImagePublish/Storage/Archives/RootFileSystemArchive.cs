using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>A tar of a root file system, as debootstrap, Alpine's minirootfs or <c>docker export</c> give, as an image of one
/// layer.</summary>
internal static class RootFileSystemArchive
{
    /// <summary>Makes an image of it; the file itself is the layer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3106</c>: it is no tar, or none of a root file system; <c>IMG3107</c>: it can't be
    /// read.</exception>
    public static async Task<Image> OpenAsync(string path, Platform platform, ImageFormat format, CancellationToken cancellationToken)
    {
        using var files = await TarFiles.ReadAsync(path, new ArchiveOptions(), cancellationToken);
        return await OpenAsync(files, platform, format, cancellationToken);
    }

    /// <summary>Makes an image of a tar whose table of contents was read.</summary>
    internal static async Task<Image> OpenAsync(TarFiles files, Platform platform, ImageFormat format, CancellationToken cancellationToken)
    {
        var path = files.Location;
        if (files.IsEmpty)
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveInvalid,
                $"'{path}' is not the tar of a root file system: it has no files."
            );
        try
        {
            return await CreateAsync(files, platform, format, cancellationToken);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw new ImagePublishException(
                DiagnosticCodes.ArchiveFailed,
                $"The archive '{path}' can't be read: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    private static async Task<Image> CreateAsync(TarFiles files, Platform platform, ImageFormat format, CancellationToken cancellationToken)
    {
        var path = files.Location;
        await using var tar = files.OpenTar();
        var diffId = await Digest.ComputeAsync(tar, cancellationToken);
        var (digest, length) = (diffId, tar.Length);
        if (files.Compression != Compression.None)
        {
            await using var file = files.OpenFile();
            (digest, length) = (await Digest.ComputeAsync(file, cancellationToken), file.Length);
        }

        var descriptor = new Descriptor(MediaTypes.Layer(format, files.Compression), digest, length);
        var config = new ImageConfig(platform.Architecture, platform.Os, new RootFs("layers", [diffId]))
        {
            Variant = platform.Variant,
            OsVersion = platform.OsVersion,
        };
        var configBlob = MemoryBlobSource.Create(MediaTypes.Config(format), OciJson.Write(config));
        var manifest = new ImageManifest(configBlob.Descriptor, [descriptor]) { MediaType = MediaTypes.Manifest(format) };
        return new Image(
            MemoryBlobSource.Create(MediaTypes.Manifest(format), OciJson.Write(manifest)),
            configBlob,
            config,
            [new Layer(descriptor, diffId, new FileBlobSource(descriptor, path))]
        );
    }
}
