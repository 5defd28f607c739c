using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Publishing;

namespace ImagePublish.AppHost;

/// <summary>
/// The entry of a project in Aspire's manifest: as Aspire writes it, and with the image. Its type stays that of a project, which azd and
/// others know how to deploy; they pass over what they do not know.
/// </summary>
internal static class ManifestEntry
{
    public static void AddImage(ProjectImage image, string reference)
    {
        var resource = image.Resource;
        // An AppHost that writes the entry itself, or has it left out, keeps its own.
        if (!resource.HasAnnotationOfType<ManifestPublishingCallbackAnnotation>())
            resource.Annotations.Add(new ManifestPublishingCallbackAnnotation(context => WriteAsync(image, reference, context)));
    }

    private static async Task WriteAsync(ProjectImage image, string reference, ManifestPublishingContext context)
    {
        var resource = image.Resource;
        var writer = context.Writer;
        var target = resource.GetDeploymentTargetAnnotation();
        writer.WriteString("type", target is null ? "project.v0" : "project.v1");
        writer.WriteString("path", context.GetManifestRelativePath(image.Project.ProjectPath));
        writer.WriteString("image", reference);
        if (target is not null)
            await WriteDeploymentAsync(target, context);
        WriteContainerFiles(resource, writer);
        await context.WriteCommandLineArgumentsAsync(resource);
        await context.WriteEnvironmentVariablesAsync(resource);
        context.WriteBindings(resource);
    }

    private static async Task WriteDeploymentAsync(DeploymentTargetAnnotation target, ManifestPublishingContext context)
    {
        if (!target.DeploymentTarget.TryGetLastAnnotation<ManifestPublishingCallbackAnnotation>(out var entry) || entry.Callback is null)
            return;
        context.Writer.WriteStartObject("deployment");
        await entry.Callback(context);
        context.Writer.WriteEndObject();
    }

    private static void WriteContainerFiles(IResource resource, Utf8JsonWriter writer)
    {
        var destinations = resource.Annotations.OfType<ContainerFilesDestinationAnnotation>().ToList();
        if (destinations.Count == 0)
            return;
        writer.WriteStartObject("containerFiles");
        foreach (var destination in destinations)
        {
            writer.WriteStartObject(destination.Source.Name);
            writer.WriteString("destination", destination.DestinationPath);
            writer.WriteStartArray("sources");
            foreach (var source in destination.Source.Annotations.OfType<ContainerFilesSourceAnnotation>())
                writer.WriteStringValue(source.SourcePath);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
