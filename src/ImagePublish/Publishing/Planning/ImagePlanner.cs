using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Reports;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Planning;

/// <summary>Tells what a planned publish would do, and how its image differs from the one that is there now.</summary>
internal sealed class ImagePlanner(RegistryClient registries, ImageStore store, RegistryDocuments documents, IPublishLog log)
{
    /// <summary>Describes a plan.</summary>
    public async Task<ImagePlan> DescribeAsync(
        PublishRequest request,
        PublishRun run,
        DestinationSet planned,
        CancellationToken cancellationToken
    )
    {
        var image = run.Result.Image;
        var places = await planned.PlanTagsAsync(run.Result.Deliveries, image.Manifest.Descriptor, run.Result.BlobsIn);
        var current = await new CurrentImages(registries, store, documents, log).FindAsync(request, cancellationToken);
        var before = current?.Image.Config.Config?.Labels?.GetValueOrDefault(ImageLabels.BaseDigest);
        var baseBefore = Digest.TryParse(before, out var digest) ? digest : null;
        return new ImagePlan(
            run.Result,
            places,
            await CompareAsync(current, run, cancellationToken),
            new PlannedBase(run.Base.Name, run.Base.Digest, baseBefore)
        )
        {
            Describe = token => new ImageReporter(store, log).DescribeAsync(request, run, current, token),
        };
    }

    private async Task<ImageChanges?> CompareAsync((string Name, Image Image)? current, PublishRun run, CancellationToken cancellationToken)
    {
        if (current is not var (name, image))
            return null;
        var layers = await new LayerComparer(store).CompareAsync(image, run, cancellationToken);
        return new ImageChanges(name, image.Digest, layers, ConfigComparer.Compare(image.Config, run.Result.Image.Config));
    }
}
