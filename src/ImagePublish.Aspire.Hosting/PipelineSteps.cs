using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;

namespace ImagePublish.AppHost;

/// <summary>
/// The steps of the pipeline that runs: what is added to them, and which of them will run. Aspire resolves them twice, for the start of the
/// AppHost and for the run itself; the last ones count.
/// </summary>
internal sealed class PipelineSteps(ImagePublishOptions options)
{
    public const string PinStep = "pin-images";

    // The step of `--publisher manifest`, which is not part of "publish".
    private const string ManifestStep = "publish-manifest";

    private Dictionary<string, PipelineStep> steps = [];
    private ILookup<IResource?, PipelineStep> stepsOfResources = Array.Empty<PipelineStep>().ToLookup(step => step.Resource);

    /// <summary>
    /// Files are written after the images that they refer to are pushed. Aspire itself pushes only for a deployment, after it has written
    /// files with placeholders.
    /// </summary>
    public Task ConfigureAsync(PipelineConfigurationContext context)
    {
        steps = context.Steps.ToDictionary(step => step.Name, StringComparer.Ordinal);
        stepsOfResources = context.Steps.ToLookup(step => step.Resource);
        var writers = context.Steps.Where(IsWriter).ToList();
        foreach (var writer in writers)
        {
            if (writer.Name != ManifestStep)
                steps[PinStep].DependsOn(writer);
        }

        if (!options.PushWhenPublishing)
            return Task.CompletedTask;
        foreach (var resource in context.Model.Resources.Where(HasKnownRegistry))
        {
            foreach (var push in TaggedSteps(resource, WellKnownPipelineTags.PushContainerImage))
                AddDependencies(writers, push);
        }

        return Task.CompletedTask;
    }

    /// <summary>Whether this run pushes the image of a resource.</summary>
    public bool Pushes(IResource resource, string? target)
    {
        var planned = Closure(target);
        return TaggedSteps(resource, WellKnownPipelineTags.PushContainerImage).Any(step => planned.Contains(step.Name));
    }

    /// <summary>Whether this run builds the image of a resource, and nothing else has to run before than for another one.</summary>
    public bool BuildsBesides(IResource resource, IResource first, string? target)
    {
        var planned = Closure(target);
        var done = TaggedSteps(first, WellKnownPipelineTags.BuildCompute).SelectMany(step => Closure(step.Name)).ToHashSet();
        return TaggedSteps(resource, WellKnownPipelineTags.BuildCompute)
            .Any(step => planned.Contains(step.Name) && step.DependsOnSteps.TrueForAll(done.Contains));
    }

    private static bool HasKnownRegistry(IResource resource) =>
        ProjectPublisher.Handles(resource) && ContainerRegistries.Find(resource) is ContainerRegistryResource;

    private static bool IsWriter(PipelineStep step) =>
        step.Name == ManifestStep
        || (
            step.Name is not (PinStep or WellKnownPipelineSteps.PublishPrereq)
            && step.RequiredBySteps.Contains(WellKnownPipelineSteps.Publish)
        );

    private void AddDependencies(List<PipelineStep> writers, PipelineStep push)
    {
        var before = Closure(push.Name);
        foreach (var writer in writers.Where(writer => !before.Contains(writer.Name)))
            writer.DependsOn(push);
    }

    private IEnumerable<PipelineStep> TaggedSteps(IResource resource, string tag) =>
        stepsOfResources[resource].Where(step => step.Tags.Contains(tag));

    // The step and all that runs before it; every step where none is named.
    private HashSet<string> Closure(string? target)
    {
        if (string.IsNullOrWhiteSpace(target))
            return [.. steps.Keys];
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([target]);
        while (open.TryPop(out var name))
        {
            if (!found.Add(name) || !steps.TryGetValue(name, out var step))
                continue;
            var requiring = steps.Values.Where(other => other.RequiredBySteps.Contains(name)).Select(other => other.Name);
            foreach (var earlier in step.DependsOnSteps.Concat(requiring))
                open.Push(earlier);
        }

        return found;
    }
}
