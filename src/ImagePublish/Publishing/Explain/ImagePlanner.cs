using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Requests;

namespace ImagePublish.Publishing.Explain;

/// <summary>Plans a publish: which image it would make, what it would upload, and how that differs from the image at the tag now.</summary>
internal sealed class ImagePlanner(PublishContext context, EarlyLayerBuild? earlyBuild = null)
{
    /// <summary>Runs the steps of a publish without writing anything: its numbers are those that a publish reports next.</summary>
    /// <exception cref="ImagePublishException">It could not be published.</exception>
    public async Task<ImagePlan> PlanAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        await using var output = PublishOutput.OpenPlanned(context, request, cancellationToken);
        var run = await new ImagePublisher(context, earlyBuild).RunAsync(request, output, cancellationToken);
        var current = await new CurrentImages(context).FindAsync(request, cancellationToken);
        var (result, manifest) = (run.Result, run.Result.Root.Descriptor);
        var destinations = await output.Destinations.PlanTagsAsync(result.Deliveries, manifest, result.BlobsIn);
        var changes = current is null ? null : await CompareAsync(current, run, cancellationToken);
        return new ImagePlan(new ImageRun(run, current), destinations, changes);
    }

    private async Task<ImageChanges> CompareAsync(CurrentImage current, PublishRun run, CancellationToken cancellationToken)
    {
        var (name, image) = current;
        var layers = await new LayerComparer(context.Store).CompareAsync(image, run, cancellationToken);
        return new ImageChanges(name, image.Digest, layers, ConfigComparer.Compare(image.Config, run.Result.Image.Config));
    }
}
