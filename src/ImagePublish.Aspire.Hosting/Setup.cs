using Aspire.Hosting;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.AppHost;

/// <summary>Puts this package's services and steps where Aspire looks for its own.</summary>
internal static class Setup
{
    public static void Apply(IDistributedApplicationBuilder builder, Action<ImagePublishOptions>? configure)
    {
        var services = builder.Services;
        if (services.FirstOrDefault(service => service.ServiceType == typeof(ImagePublishOptions)) is { } known)
        {
            configure?.Invoke((ImagePublishOptions)known.ImplementationInstance!);
            return;
        }

        var options = new ImagePublishOptions();
        configure?.Invoke(options);
        var steps = new PipelineSteps(options);
        services.AddSingleton(options);
        services.AddSingleton(steps);
        services.AddSingleton<PublishedImages>();
        services.AddSingleton<ProjectImageReader>();
        services.AddSingleton<ProjectBuild>();
        services.AddSingleton<ProjectPublisher>();
        ReplaceImageManager(services);
        builder.Pipeline.AddStep(
            new PipelineStep
            {
                Name = PipelineSteps.PinStep,
                Description = "Writes the digests of published images into the files that were written for a deployment.",
                Action = context => context.Services.GetRequiredService<PublishedImages>().PinFilesAsync(context),
                RequiredBySteps = [WellKnownPipelineSteps.Publish],
            }
        );
        builder.Pipeline.AddPipelineConfiguration(steps.ConfigureAsync);
    }

    // Whoever builds images that are not of projects stays who it was: Aspire's manager, or that of another package.
    private static void ReplaceImageManager(IServiceCollection services)
    {
        var replaced = services.Last(service => service.ServiceType == typeof(IResourceContainerImageManager));
        services.AddSingleton<IResourceContainerImageManager>(provider => new ImageManager(
            Create(replaced, provider),
            provider.GetRequiredService<ProjectPublisher>()
        ));
    }

    private static IResourceContainerImageManager Create(ServiceDescriptor service, IServiceProvider provider) =>
        (IResourceContainerImageManager)(
            service.ImplementationInstance
            ?? service.ImplementationFactory?.Invoke(provider)
            ?? ActivatorUtilities.CreateInstance(provider, service.ImplementationType!)
        );
}
