using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Opens images, wherever they are.</summary>
internal sealed class ImageSources(RegistryClient registries, ImageStore store)
{
    private readonly LocalImages local = new(store);

    public RegistryDocuments Documents { get; } = new(registries, store);

    /// <summary>Opens an image: its root is read, nothing else.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3105</c>, <c>IMG3106</c>, <c>IMG3109</c> or <c>IMG4006</c>: there
    /// is none; or what the place fails with.</exception>
    public async Task<IImageContent> OpenAsync(ImageSource source, CancellationToken cancellationToken) =>
        source is RegistryImage remote
            ? await OpenAsync(remote.Location, cancellationToken)
            : new LocalContent(
                await local.LoadAsync(source, cancellationToken),
                source is EngineImage engine ? engine.Name : source.ToString()!
            );

    private async Task<RegistryContent> OpenAsync(Reference reference, CancellationToken cancellationToken)
    {
        var root = await Documents.FindAsync(reference, cancellationToken)
            // Asked again for the registry's own error.
            ?? (await registries.GetManifestAsync(reference, cancellationToken)).Content;
        return new RegistryContent(registries, Documents, reference.Repository, root);
    }
}

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
            EngineImage engine => await new EngineImages(store).LoadAsync(engine, cancellationToken),
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
