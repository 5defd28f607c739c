using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Publishing;

/// <summary>Finds base images that are on this machine: nothing is asked of a registry.</summary>
/// <param name="store">The local store.</param>
internal sealed class KeptBaseResolver(ImageStore store)
{
    /// <summary>Finds a base image.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="platform">The platform wanted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The base image, whose layers are read from where they are.</returns>
    /// <exception cref="ImagePublishException"><c>IMG2002</c>: it is for other platforms; <c>IMG3105</c>, <c>IMG3106</c>: there is none.</exception>
    public async Task<BaseImage> ResolveAsync(ImageSource source, Platform platform, CancellationToken cancellationToken)
    {
        var image = await OpenAsync(source, platform, cancellationToken);
        var chosen = image.Platforms.FirstOrDefault(one => one.Config.Platform.Satisfies(platform))
            ?? throw BaseResolver.PlatformMissing(source.ToString()!, platform, image.Platforms.Select(one => one.Config.Platform));
        return new BaseImage(NameOf(source), image.Root.Descriptor.Digest, MediaTypes.FormatOf(chosen.Manifest.Descriptor.MediaType), chosen.Config, chosen.Layers);
    }

    // The path of a file is this machine's business; it must not get into labels.
    private static string NameOf(ImageSource source) => source is ArchivedImage archived ? archived.Name ?? Path.GetFileName(archived.Path) : source.ToString()!;

    private async Task<ArchiveImage> OpenAsync(ImageSource source, Platform platform, CancellationToken cancellationToken) => source switch
    {
        StoreImage kept => await store.LoadAsync(kept.Name, cancellationToken) ?? throw ImageSources.NotInStore(store, kept.Name),
        ArchivedImage { Name: null } file when File.Exists(file.Path) && await IsRootFileSystemAsync(file.Path, cancellationToken) =>
            ArchiveImage.Of(await RootFileSystemArchive.OpenAsync(file.Path, platform, ImageFormat.Oci, cancellationToken)),
        ArchivedImage archived => (await ImageArchive.OpenAsync(archived.Path, cancellationToken)).Find(archived.Name),
        _ => throw new ArgumentException($"{source} is not on this machine.", nameof(source)),
    };

    private static async Task<bool> IsRootFileSystemAsync(string path, CancellationToken cancellationToken)
    {
        var files = await TarFiles.ReadAsync(path, cancellationToken);
        return !files.IsEmpty && files.Find("oci-layout") is null && files.Find("manifest.json") is null;
    }
}
