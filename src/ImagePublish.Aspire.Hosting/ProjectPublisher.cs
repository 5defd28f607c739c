using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Options;

namespace ImagePublish.AppHost;

/// <summary>
/// Publishes projects: the first step that asks for one has all of them published that may be by then, in one build. The other steps await
/// it.
/// </summary>
internal sealed class ProjectPublisher(
    DistributedApplicationModel model,
    PipelineSteps steps,
    IOptions<PipelineOptions> pipeline,
    ProjectImageReader reader,
    ProjectBuild build,
    PublishedImages published
) : IDisposable
{
    private readonly SemaphoreSlim single = new(1);
    private readonly Dictionary<IResource, ImageDestination> finished = [];
    private readonly HashSet<IResource> failed = [];

    private string? Target => pipeline.Value.Step;

    /// <summary>Projects that Aspire would publish with the .NET SDK.</summary>
    public static bool Handles(IResource resource) => resource.SupportsDotnetProgramPublishing() && resource.RequiresImageBuild();

    public Task BuildAsync(IReadOnlyList<IResource> resources, CancellationToken cancellationToken) =>
        PublishAsync(resources, resource => steps.Pushes(resource, Target), cancellationToken);

    public Task PushAsync(IResource resource, CancellationToken cancellationToken) =>
        PublishAsync([resource], _ => true, cancellationToken);

    public void Dispose() => single.Dispose();

    private async Task PublishAsync(IReadOnlyList<IResource> resources, Func<IResource, bool> isPushed, CancellationToken cancellationToken)
    {
        await single.WaitAsync(cancellationToken);
        try
        {
            var open = resources.Where(resource => !IsFinished(resource, isPushed(resource))).ToList();
            if (open.Count == 0)
                return;
            if (open.Find(failed.Contains) is { } known)
                throw new DistributedApplicationException($"The image of '{known.Name}' was not published: the build failed, see above.");
            var others = model.Resources.Where(other =>
                Handles(other) && !IsFinished(other, isPushed(other)) && steps.BuildsBesides(other, open[0], Target)
            );
            await PublishTogetherAsync([.. open.Union(others)], isPushed, cancellationToken);
        }
        finally
        {
            single.Release();
        }
    }

    private async Task PublishTogetherAsync(
        IReadOnlyList<IResource> resources,
        Func<IResource, bool> isPushed,
        CancellationToken cancellationToken
    )
    {
        failed.UnionWith(resources);
        try
        {
            var images = new List<ProjectImage>();
            foreach (var resource in resources)
                images.Add(await reader.ReadAsync(resource, isPushed(resource), cancellationToken));
            foreach (var (image, digest) in await build.RunAsync(images, cancellationToken))
            {
                published.Add(image, digest);
                finished[image.Resource] = image.Destination;
                failed.Remove(image.Resource);
            }
        }
        catch (DistributedApplicationException)
        {
            // An AppHost that runs without the Aspire CLI would end with 0.
            Environment.ExitCode = 1;
            throw;
        }
    }

    // What was only built is published once more when it is pushed after all: its layers are in the local store by then.
    private bool IsFinished(IResource resource, bool isPushed) =>
        finished.TryGetValue(resource, out var destination) && !(isPushed && destination == ImageDestination.Store);
}
