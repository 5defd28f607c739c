using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Loads images that are on this machine: nothing is asked of a registry.</summary>
internal sealed class LocalImages(ImageStore store, ArchiveImages? archives = null)
{
    private readonly ArchiveImages archives = archives ?? new(store);

    /// <summary>Loads an image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3105</c>, <c>IMG3106</c>, <c>IMG3109</c>: there is none; or what
    /// the place fails with.</exception>
    public async Task<ArchiveImage> LoadAsync(ImageSource source, CancellationToken cancellationToken, Platform? rootFileSystem = null) =>
        source switch
        {
            StoreImage stored => await store.LoadAsync(stored.Name, cancellationToken) ?? throw NotInStore(store, stored.Name),
            ArchivedImage archived => await archives.LoadAsync(archived, rootFileSystem, cancellationToken),
            DockerImage engine => await new EngineImages(store).LoadAsync(engine, cancellationToken),
            _ => throw new ArgumentException($"{source} is not on this machine.", nameof(source)),
        };

    public static ImagePublishException NotInStore(ImageStore store, string name) =>
        new(
            DiagnosticCodes.NotInStore,
            $"The local store in '{store.Folder}' has no image '{Text.Sanitize(name)}'. The target ListImages "
                + "shows what it has; an image of a registry is named with its host, such as "
                + "docker.io/acme/shop:1.0."
        );
}
