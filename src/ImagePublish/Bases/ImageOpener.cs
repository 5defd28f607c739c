using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>Opens images, wherever they are.</summary>
internal sealed class ImageOpener(RegistryClient registries, ImageStore store)
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
                source is DockerImage engine ? engine.Name : source.ToString()!
            );

    private async Task<RegistryContent> OpenAsync(Reference reference, CancellationToken cancellationToken)
    {
        var root = await Documents.FindAsync(reference, cancellationToken)
            // Asked again for the registry's own error.
            ?? (await registries.GetManifestAsync(reference, cancellationToken)).Content;
        return new RegistryContent(registries, Documents, reference.Repository, root);
    }
}
