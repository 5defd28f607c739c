using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>Opens images, wherever they are.</summary>
internal sealed class ImageSources(RegistryClient registries, ImageStore store)
{
    private readonly RegistryDocuments documents = new(registries, store);

    /// <summary>Opens an image: its root is read, nothing else.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3105</c>, <c>IMG3106</c>, <c>IMG3109</c> or <c>IMG4006</c>: there is none; or what the place fails with.</exception>
    public async Task<IImageContent> OpenAsync(ImageSource source, CancellationToken cancellationToken) =>
        source switch
        {
            RegistryImage remote => await OpenAsync(remote.Reference, cancellationToken),
            StoreImage kept => new LocalContent(
                await store.LoadAsync(kept.Name, cancellationToken) ?? throw NotInStore(store, kept.Name),
                kept.Name
            ),
            ArchivedImage archived => new LocalContent(
                await new ArchiveImages(store).LoadAsync(archived, rootFileSystem: null, cancellationToken),
                archived.ToString()
            ),
            EngineImage engine => new LocalContent(await new EngineImages(store).LoadAsync(engine, cancellationToken), engine.Name),
            _ => throw new ArgumentException($"{source} is no source of images.", nameof(source)),
        };

    /// <summary>The failure of a name that the store does not have.</summary>
    public static ImagePublishException NotInStore(ImageStore store, string name) =>
        new(
            DiagnosticCodes.NotInStore,
            $"The local store in '{store.Folder}' has no image '{Text.Sanitize(name)}'. The target ListImages shows what it has; an image of a registry is named with its host, such as docker.io/acme/shop:1.0."
        );

    private async Task<RegistryContent> OpenAsync(Reference reference, CancellationToken cancellationToken)
    {
        var root = await documents.FindAsync(reference, cancellationToken)
            // Asked again for what the registry says.
            ?? (await registries.GetManifestAsync(reference, cancellationToken)).Content;
        return new RegistryContent(registries, documents, reference.Repository, root);
    }
}
