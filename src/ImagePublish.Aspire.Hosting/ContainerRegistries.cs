using Aspire.Hosting.ApplicationModel;

namespace ImagePublish.AppHost;

/// <summary>Which registry the image of a resource goes to, in Aspire's order, which it has for itself alone.</summary>
internal static class ContainerRegistries
{
    /// <returns>Null where the AppHost names none, or several and none of them for this resource.</returns>
    public static IContainerRegistry? Find(IResource resource)
    {
        if (resource.TryGetLastAnnotation<ContainerRegistryReferenceAnnotation>(out var reference))
            return reference.Registry;
        if (resource.GetDeploymentTargetAnnotation()?.ContainerRegistry is { } ofTarget)
            return ofTarget;
        var offered = resource.Annotations.OfType<RegistryTargetAnnotation>().ToList();
        return offered.Count == 1 ? offered[0].Registry : null;
    }

    /// <returns>The registry's host; null or empty for the container engine on this machine.</returns>
    public static async Task<string?> EndpointAsync(IResource resource, CancellationToken cancellationToken) =>
        Find(resource) is { } registry ? await registry.Endpoint.GetValueAsync(cancellationToken) : null;
}
