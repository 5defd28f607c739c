using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Bases;

/// <summary>Finds base images that are on this machine: nothing is asked of a registry.</summary>
internal sealed class LocalBaseResolver(ImageStore store, ArchiveImages? archives = null)
{
    private readonly ArchiveImages archives = archives ?? new(store);

    /// <summary>Finds a base image.</summary>
    /// <exception cref="ImagePublishException">As below.</exception>
    public Task<BaseImage> ResolveAsync(BaseSource source, Platform platform, CancellationToken cancellationToken) =>
        source switch
        {
            LocalBase kept => ResolveAsync(kept.Source, platform, cancellationToken),
            StoreBase stored => ResolveAsync(stored.Reference, platform, cancellationToken),
            _ => throw new ArgumentException($"'{source}' is not on this machine.", nameof(source)),
        };

    /// <summary>Makes sure that a base image that was found a while ago can still be read, and notes that its layers are used.</summary>
    public bool IsStillThere(BaseImage image) =>
        image.Layers.All(layer => store.FindBlob(layer.Descriptor) is not null || layer.Source is not ArchiveBlobSource { IsThere: false });

    /// <summary>Finds a base image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2002</c>: it is for other platforms; <c>IMG3105</c>, <c>IMG3106</c>, <c>IMG3109</c>: there is none.</exception>
    public async Task<BaseImage> ResolveAsync(ImageSource source, Platform platform, CancellationToken cancellationToken)
    {
        var image = await OpenAsync(source, platform, cancellationToken);
        var chosen = image.Platforms.FirstOrDefault(one => one.Config.Platform.Satisfies(platform))
            ?? throw BaseResolver.PlatformMissing(source.ToString()!, platform, image.Platforms.Select(one => one.Config.Platform));
        return new BaseImage(
            NameOf(source),
            image.Root.Descriptor.Digest,
            MediaTypes.FormatOf(chosen.Manifest.Descriptor.MediaType),
            chosen.Config,
            chosen.Layers
        );
    }

    /// <summary>Finds a base image of a registry that the store has a copy of: with it, an image becomes what it would become with the registry.</summary>
    /// <exception cref="ImagePublishException"><c>IMG2004</c>: the store does not have it; <c>IMG2002</c>: it is for other platforms; <c>IMG3103</c>, <c>IMG3104</c>: the copy is not whole.</exception>
    public async Task<BaseImage> ResolveAsync(Reference reference, Platform platform, CancellationToken cancellationToken)
    {
        var name = reference.Digest is { } digest ? $"{reference.Repository}@{digest}" : $"{reference.Repository}:{reference.Tag}";
        if (await store.LoadAsync(name, cancellationToken) is null)
            throw new ImagePublishException(
                DiagnosticCodes.BaseNotKept,
                $"The local store in '{store.Folder}' does not have the base image '{reference}', and ImageOffline is true. Put it there while there is a network: dotnet msbuild -t:PullImage -p:ImageSource={reference}"
            );
        return await ResolveAsync(new StoreImage(name), platform, cancellationToken) with { Name = reference.ToString() };
    }

    // The path of a file is this machine's business; it must not get into labels.
    private static string NameOf(ImageSource source) =>
        source switch
        {
            ArchivedImage archived => archived.Name ?? Path.GetFileName(archived.Path),
            EngineImage engine => engine.Name,
            _ => source.ToString()!,
        };

    private async Task<ArchiveImage> OpenAsync(ImageSource source, Platform platform, CancellationToken cancellationToken) =>
        source switch
        {
            StoreImage kept => await store.LoadAsync(kept.Name, cancellationToken) ?? throw ImageSources.NotInStore(store, kept.Name),
            ArchivedImage archived => await archives.LoadAsync(archived, platform, cancellationToken),
            EngineImage engine => await new EngineImages(store).LoadAsync(engine, cancellationToken),
            _ => throw new ArgumentException($"{source} is not on this machine.", nameof(source)),
        };
}
