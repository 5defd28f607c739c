using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Logging;

namespace ImagePublish.AppHost;

/// <summary>Reads what the AppHost says of a project's image: options, name in the registry, base image, added files.</summary>
internal sealed class ProjectImageReader(
    DistributedApplicationExecutionContext executionContext,
    IServiceProvider services,
    ILogger<ProjectImageReader> logger
)
{
    private static readonly (ContainerTargetPlatform Platform, string RuntimeIdentifier)[] Platforms =
    [
        (ContainerTargetPlatform.LinuxAmd64, "linux-x64"),
        (ContainerTargetPlatform.LinuxArm64, "linux-arm64"),
        (ContainerTargetPlatform.LinuxArm, "linux-arm"),
        (ContainerTargetPlatform.Linux386, "linux-x86"),
        (ContainerTargetPlatform.WindowsAmd64, "win-x64"),
        (ContainerTargetPlatform.WindowsArm64, "win-arm64"),
    ];

    /// <param name="resource">A resource of a .NET project.</param>
    /// <param name="isPushed">Whether this run pushes the image, or only builds it.</param>
    /// <param name="cancellationToken">Cancels the callbacks of the AppHost.</param>
    public async Task<ProjectImage> ReadAsync(IResource resource, bool isPushed, CancellationToken cancellationToken)
    {
        Check(resource);
        var options = await OptionsAsync(resource, cancellationToken);
        var localName = options.LocalImageName ?? resource.Name.ToLowerInvariant();
        var localTag = options.LocalImageTag ?? "latest";
        var endpoint = await ContainerRegistries.EndpointAsync(resource, cancellationToken);
        var destination = DestinationOf(resource, options, isPushed, endpoint);
        // What goes to an engine or an archive has the local name.
        var hasRemoteName = !string.IsNullOrEmpty(endpoint) && destination != ImageDestination.Archive;
        var remote = hasRemoteName ? await RemoteNameAsync(resource, cancellationToken) : null;
        return new ProjectImage(resource, resource.Annotations.OfType<IProjectMetadata>().Last(), destination)
        {
            Registry = destination == ImageDestination.Registry ? remote!.Registry : "",
            Repository = remote?.Repository ?? localName,
            Tag = remote?.Tag ?? localTag,
            RuntimeIdentifiers = RuntimeIdentifiersOf(options.TargetPlatform),
            Format = FormatOf(options.ImageFormat),
            BaseImage = resource.TryGetLastAnnotation<DockerfileBaseImageAnnotation>(out var annotation) ? annotation.RuntimeImage : null,
            Archive = string.IsNullOrEmpty(options.OutputPath) ? null : ArchiveOf(options.OutputPath, localName, localTag),
            Files = FilesOf(resource),
        };
    }

    // What Aspire would hand to its own build, and nobody else can read.
    private static void Check(IResource resource)
    {
        if (resource.Annotations.Any(annotation => annotation.GetType().Name == "DotnetProgramBuildEnvironmentCallbackAnnotation"))
            throw Errors.Unsupported(
                resource,
                "has a build environment",
                "Set the same with Properties in UseImagePublish, or in the project."
            );
    }

    private async Task<ContainerBuildOptionsCallbackContext> OptionsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new ContainerBuildOptionsCallbackContext(resource, services, logger, cancellationToken, executionContext);
        foreach (var annotation in resource.Annotations.OfType<ContainerBuildOptionsCallbackAnnotation>().ToList())
            await annotation.Callback(context);
        return context;
    }

    private static ImageDestination DestinationOf(
        IResource resource,
        ContainerBuildOptionsCallbackContext options,
        bool isPushed,
        string? endpoint
    )
    {
        if (options.Destination == ContainerImageDestination.Archive)
        {
            if (string.IsNullOrEmpty(options.OutputPath))
                throw Errors.Unsupported(resource, "goes to an archive without an OutputPath", "Set it in WithContainerBuildOptions.");
            return ImageDestination.Archive;
        }

        // An empty endpoint is what Aspire calls a local registry.
        if (endpoint is { Length: 0 })
            return ImageDestination.Engine;
        if (!isPushed)
            return ImageDestination.Store;
        return endpoint is null ? ImageDestination.Engine : ImageDestination.Registry;
    }

    private static async Task<RemoteName> RemoteNameAsync(IResource resource, CancellationToken cancellationToken)
    {
        var options = new ContainerImagePushOptions { RemoteImageName = resource.Name.ToLowerInvariant(), RemoteImageTag = "latest" };
        var context = new ContainerImagePushOptionsCallbackContext
        {
            Resource = resource,
            CancellationToken = cancellationToken,
            Options = options,
        };
        foreach (var annotation in resource.Annotations.OfType<ContainerImagePushOptionsCallbackAnnotation>().ToList())
            await annotation.Callback(context);
        var name = await options.GetFullRemoteImageNameAsync(ContainerRegistries.Find(resource)!, cancellationToken);
        return RemoteName.Parse(name);
    }

    private static List<string> RuntimeIdentifiersOf(ContainerTargetPlatform? platform) =>
        [.. Platforms.Where(pair => platform?.HasFlag(pair.Platform) == true).Select(pair => pair.RuntimeIdentifier)];

    private static string? FormatOf(ContainerImageFormat? format) =>
        format switch
        {
            ContainerImageFormat.Docker => "Docker",
            ContainerImageFormat.Oci => "OCI",
            _ => null,
        };

    // The file that ContainerImageReference hands to those who deploy it.
    private static string ArchiveOf(string outputPath, string name, string tag)
    {
        var isFile = !Directory.Exists(outputPath) && (File.Exists(outputPath) || Path.HasExtension(outputPath));
        if (isFile)
            return Path.GetFullPath(outputPath);
        var file = $"{name}-{tag}.tar".Replace('/', '-').Replace(':', '-');
        return Path.GetFullPath(Path.Combine(outputPath, file));
    }

    private static List<CopiedFiles> FilesOf(IResource resource)
    {
        var files = new List<CopiedFiles>();
        foreach (var destination in resource.Annotations.OfType<ContainerFilesDestinationAnnotation>())
        {
            var image = ImageOf(destination.Source, resource);
            var paths = destination.Source.Annotations.OfType<ContainerFilesSourceAnnotation>().Select(annotation => annotation.SourcePath);
            files.AddRange(paths.Select(path => new CopiedFiles(image, path, TargetOf(destination.DestinationPath))));
        }

        return files;
    }

    // What is built from a Dockerfile is in the container engine by now: its step comes before those of projects that take its files.
    private static string ImageOf(IResource source, IResource resource)
    {
        if (!source.TryGetContainerImageName(out var image))
            throw Errors.Unsupported(resource, $"takes files of '{source.Name}', which has no image", "Take them of a container.");
        return source.RequiresImageBuild() ? $"docker-daemon:{image}" : image;
    }

    // Relative to the app's folder, as for ImageFile.
    private static string TargetOf(string path) => path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;

    private sealed record RemoteName(string Registry, string Repository, string Tag)
    {
        // host/repository:tag, as Aspire composes it. The host may have a port.
        public static RemoteName Parse(string name)
        {
            var host = name.IndexOf('/', StringComparison.Ordinal);
            var tag = name.LastIndexOf(':');
            return new RemoteName(name[..host], name[(host + 1)..tag], name[(tag + 1)..]);
        }
    }
}
