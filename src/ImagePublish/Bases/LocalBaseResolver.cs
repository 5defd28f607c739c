using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Finds base images that are on this machine: nothing is asked of a registry.</summary>
internal sealed class LocalBaseResolver(ImageStore store, ArchiveImages? archives = null, ImageRole? role = null)
{
    private readonly ImageRole role = role ?? ImageRole.Base;
    private readonly LocalImages images = new(store, archives);

    /// <summary>Makes sure that a base image that was found a while ago can still be read, and notes that its layers are used.</summary>
    public bool IsStillThere(BaseImage image) =>
        image.Layers.All(layer => store.FindBlob(layer.Descriptor) is not null || layer.Source is not ArchiveBlobSource { IsThere: false });

    /// <summary>Finds a base image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2002</c>: it is for other platforms; <c>IMG2004</c>,
    /// <c>IMG3105</c>, <c>IMG3106</c>, <c>IMG3109</c>: there is none.</exception>
    public Task<BaseImage> ResolveAsync(ImageSource source, Platform platform, CancellationToken cancellationToken) =>
        source is OfflineImage offline
            ? ResolveOfflineAsync(offline.Reference, platform, cancellationToken)
            : ResolveLocalAsync(source, platform, cancellationToken);

    private async Task<BaseImage> ResolveLocalAsync(ImageSource source, Platform platform, CancellationToken cancellationToken)
    {
        var image = await images.LoadAsync(source, cancellationToken, rootFileSystem: platform);
        var chosen = image.Platforms.FirstOrDefault(one => one.Config.Platform.Satisfies(platform))
            ?? throw BaseResolver.PlatformMissing(role, source.ToString()!, platform, image.Platforms.Select(one => one.Config.Platform));
        return new BaseImage(
            NameOf(source),
            image.Root.Descriptor.Digest,
            MediaTypes.FormatOf(chosen.Manifest.Descriptor.MediaType),
            chosen.Config,
            chosen.Layers
        )
        {
            ManifestDigest = chosen.Manifest.Descriptor.Digest,
        };
    }

    // With the store's copy an image becomes what it would become with the registry.
    private async Task<BaseImage> ResolveOfflineAsync(Reference reference, Platform platform, CancellationToken cancellationToken)
    {
        var name = reference.Digest is { } digest ? $"{reference.Repository}@{digest}" : $"{reference.Repository}:{reference.Tag}";
        if (await store.LoadAsync(name, cancellationToken) is null)
            throw new ImagePublishException(
                DiagnosticCodes.BaseNotKept,
                $"The local store in '{store.Folder}' does not have the {role.Noun} '{reference}', and "
                    + "ImageOffline is true. Put it there while there is a network: dotnet msbuild -t:PullImage "
                    + $"-p:ImageSource={reference}"
            );
        return await ResolveLocalAsync(new StoreImage(name), platform, cancellationToken) with { Name = reference.ToString() };
    }

    // The path of a file is this machine's business; it must not get into labels.
    private static string NameOf(ImageSource source) =>
        source.LocalName ?? (source is ArchivedImage archived ? Path.GetFileName(archived.Path) : source.ToString()!);
}
