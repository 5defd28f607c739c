using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ImagePublish.AppHost;

/// <summary>The images in registries, by digest, and everyone who is told of them.</summary>
internal sealed partial class PublishedImages
{
    private readonly List<(IResource Resource, string Reference)> images = [];

    public void Add(ProjectImage image, string digest)
    {
        if (image.Destination != ImageDestination.Registry)
            return;
        var reference = $"{image.Registry}/{image.Repository}@{digest}";
        images.Add((image.Resource, reference));
        PinReferences(image, digest);
        ManifestEntry.AddImage(image, reference);
    }

    /// <summary>
    /// In files that were written for a deployment, takes the place of a placeholder that Aspire fills only when it deploys by itself.
    /// </summary>
    public async Task PinFilesAsync(PipelineStepContext context)
    {
        var root = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
        if (images.Count == 0 || !Directory.Exists(root))
            return;
        var folders = context
            .Model.Resources.OfType<IComputeEnvironmentResource>()
            .Select(environment => Path.Combine(root, environment.Name));
        foreach (var file in folders.Prepend(root).SelectMany(WrittenFiles.Find))
        {
            var text = await File.ReadAllTextAsync(file, context.CancellationToken);
            var pinned = images.Aggregate(text, (pinned, image) => WrittenFiles.Pin(pinned, image.Resource.Name, image.Reference));
            if (pinned == text)
                continue;
            await File.WriteAllTextAsync(file, pinned, context.CancellationToken);
            LogPinned(context.Logger, file);
        }
    }

    // Aspire composes host/repository/name:tag of these two, for ContainerImageReference and all that is made of it.
    private static void PinReferences(ProjectImage image, string digest)
    {
        var parts = digest.Split(':');
        image.Resource.Annotations.Add(
            new ContainerImagePushOptionsCallbackAnnotation(context =>
            {
                context.Options.RemoteImageName = $"{context.Options.RemoteImageName}@{parts[0]}";
                context.Options.RemoteImageTag = parts[1];
            })
        );
    }

    [LoggerMessage(LogLevel.Information, "Wrote the images' digests into {File}")]
    private static partial void LogPinned(ILogger logger, string file);
}
