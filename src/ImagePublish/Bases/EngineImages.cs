using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Images of the Docker on this machine: fetched into the local store once, and again when they change.</summary>
internal sealed class EngineImages(ImageStore store)
{
    private const string Kind = "engines";

    private readonly ImportedImages imported = new(store, Kind);

    /// <summary>Loads an image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3109</c>: Docker does not have it; <c>IMG3108</c>: it does not
    /// answer; <c>IMG3101</c>.</exception>
    public async Task<ArchiveImage> LoadAsync(DockerImage image, CancellationToken cancellationToken)
    {
        using var engine = new DockerEngine(image.Address);
        var id = await engine.FindImageAsync(image.Name, cancellationToken)
            ?? throw new ImagePublishException(
                DiagnosticCodes.NotInEngine,
                $"Docker at '{image.Address}' has no image '{Text.Sanitize(image.Name)}'. 'docker images' "
                    + "shows what it has; pull or build the image first, or leave out 'docker-daemon:' for one of a "
                    + "registry."
            );
        var key = Digest.Compute(Encoding.UTF8.GetBytes(id));
        if (await imported.FindAsync(key, image.Name, cancellationToken) is { } known)
            return known;
        var fetched = await FetchAsync(engine, image.Name, cancellationToken);
        await imported.RememberAsync(key, fetched, cancellationToken);
        return fetched;
    }

    private async Task<ArchiveImage> FetchAsync(DockerEngine engine, string name, CancellationToken cancellationToken)
    {
        var (path, stream) = store.Disk.CreateTemporary();
        try
        {
            await using (stream)
                await engine.SaveAsync(name, stream, cancellationToken);
            using var archive = await ImageArchive.OpenAsync(path, cancellationToken);
            var images = archive.Images;
            // Docker saves one image under all its names or under none.
            var image =
                images.Count == 1
                    ? images[0]
                    : throw new ImagePublishException(
                        DiagnosticCodes.ArchiveInvalid,
                        $"Docker gives {images.Count} images for '{Text.Sanitize(name)}'; one is needed. Name it with its tag."
                    );
            return await imported.CopyAsync(image, name, cancellationToken);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw store.Disk.Refused(path, exception);
        }
        finally
        {
            StoreDisk.Delete(path);
        }
    }
}
