using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Publishing;

namespace ImagePublish.AppHost;

/// <summary>
/// What Aspire's pipeline asks for images: projects are published by this package, all else is left to the manager that was there before.
/// </summary>
internal sealed class ImageManager(IResourceContainerImageManager other, ProjectPublisher projects) : IResourceContainerImageManager
{
    public Task BuildImageAsync(IResource resource, CancellationToken cancellationToken = default) =>
        ProjectPublisher.Handles(resource)
            ? projects.BuildAsync([resource], cancellationToken)
            : other.BuildImageAsync(resource, cancellationToken);

    public async Task BuildImagesAsync(IEnumerable<IResource> resources, CancellationToken cancellationToken = default)
    {
        var ours = resources.ToLookup(ProjectPublisher.Handles);
        // Files of their images may go into those of projects.
        if (ours[false].Any())
            await other.BuildImagesAsync(ours[false], cancellationToken);
        await projects.BuildAsync([.. ours[true]], cancellationToken);
    }

    public Task PushImageAsync(IResource resource, CancellationToken cancellationToken) =>
        ProjectPublisher.Handles(resource)
            ? projects.PushAsync(resource, cancellationToken)
            : other.PushImageAsync(resource, cancellationToken);
}
