using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Packages;

namespace ImagePublish.Publishing;

/// <summary>Operating system packages as the layer below the app.</summary>
/// <param name="baseFiles">Reads the base's files.</param>
/// <param name="producer">Makes layers.</param>
/// <param name="log">Where to tell what is done.</param>
internal sealed class PackageStep(BaseFiles baseFiles, LayerProducer producer, IEngineLog log)
{
    /// <summary>Has the packages at hand, and looks their layer up.</summary>
    /// <param name="request">What is published.</param>
    /// <param name="resolving">The base image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The layer; none where there are no packages.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6xxx</c>: packages can not be had.</exception>
    public async Task<IReadOnlyList<LayerProducer.Candidate>> LookUpAsync(PublishRequest request, Func<Task<BaseImage>> resolving, CancellationToken cancellationToken)
    {
        if (request.Packages is null)
            return [];
        var below = request.Base is ScratchBase ? null : await resolving();
        var packageBase = below is null ? null : new PackageBase(below.Name, await baseFiles.ReadAsync(below, cancellationToken));
        var made = await new OsPackages(log).MakeAsync(request.Packages, request.Spec.Platform, packageBase, cancellationToken);
        if (made.Packages.Count == 0)
            return [];
        log.Detail($"The image has {made.Packages.Count} packages: {string.Join(", ", made.Packages)}.");
        return [await producer.LookUpAsync(made.Layer, request.Compression, cancellationToken)];
    }
}
