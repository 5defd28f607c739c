using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Loads images into Docker through its API: only the layers that it lacks, where its image store allows.</summary>
internal sealed class DockerLoader(DockerEngine engine) : IContainerEngine, IDisposable
{
    public string Program => EngineChoice.Docker;

    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        if (
            image.Single is not { } single
            || await engine.CountKnownLayersAsync(single.Config.RootFs.DiffIds, cancellationToken) is not { } known
        )
            return await LoadAsync(image, [], cancellationToken);
        // This image store takes one platform, and finds layers that it has by itself.
        var only = new ArchiveImage(single.Manifest, [single], image.Names);
        var chosen = image.Platforms.Count > 1 ? single.Config.Platform : null;
        Descriptor[] omitted =
        [
            .. single
                .Layers.Take(known)
                .Select(layer => layer.Descriptor)
                .Except(single.Layers.Skip(known).Select(layer => layer.Descriptor)),
        ];
        try
        {
            return await LoadAsync(only, omitted, cancellationToken) with { Only = chosen };
        }
        catch (ImagePublishException exception)
            when (known > 0 && exception.Code == DiagnosticCodes.EngineFailed && exception is not EngineSilentException)
        {
            // What it had may be removed by now.
            return await LoadAsync(only, [], cancellationToken) with { Only = chosen };
        }
    }

    public void Dispose() => engine.Dispose();

    private async Task<LoadedImage> LoadAsync(ArchiveImage image, IReadOnlyList<Descriptor> known, CancellationToken cancellationToken)
    {
        var omitted = known.Select(layer => layer.Digest).ToHashSet();
        var output = await engine.LoadAsync(
            (archive, stop) => ArchiveWriter.WriteAsync([image], omitted, archive, stop),
            cancellationToken
        );
        return LoadedImage.Create(output, image, omitted);
    }
}
