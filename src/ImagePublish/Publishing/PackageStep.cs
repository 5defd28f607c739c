using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Packages;

namespace ImagePublish.Publishing;

/// <summary>Operating system packages as the layer below the app.</summary>
/// <param name="producer">Makes layers.</param>
/// <param name="log">Where to tell what is done.</param>
internal sealed class PackageStep(LayerProducer producer, IEngineLog log)
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
        if (request.Base is not ScratchBase)
            throw new ImagePublishException(DiagnosticCodes.PackageBaseUnsupported, $"Packages can not be put on '{(await resolving()).Name}'. Set ImageBase=scratch.");
        var made = await new OsPackages(request.Packages.Time, log).MakeRootAsync(request.Packages, request.Spec.Platform, cancellationToken);
        log.Detail($"The image has {made.Packages.Count} packages: {string.Join(", ", made.Packages)}.");
        return [await producer.LookUpAsync(made.Layer, request.Compression, cancellationToken)];
    }
}
