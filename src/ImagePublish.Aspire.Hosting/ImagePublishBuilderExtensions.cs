using ImagePublish.AppHost;

namespace Aspire.Hosting;

/// <summary>Has the projects of an AppHost published as container images by ImagePublish.Tasks.</summary>
public static class ImagePublishBuilderExtensions
{
    /// <summary>
    /// Publishes project resources with ImagePublish.Tasks, which each of them must reference: in one build, straight to the registry of
    /// the resource, without a container engine. What Aspire writes and deploys refers to the images by digest. Other resources, and the
    /// AppHost when it runs the app on this machine, stay as they are.
    /// </summary>
    /// <param name="builder">The AppHost's builder.</param>
    /// <param name="configure">Changes the options. They are the same in every call.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="DistributedApplicationException">This version of Aspire is not supported (IMG1043).</exception>
    public static IDistributedApplicationBuilder UseImagePublish(
        this IDistributedApplicationBuilder builder,
        Action<ImagePublishOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.ExecutionContext.IsPublishMode)
            return builder;
        SupportedAspire.Check(typeof(IDistributedApplicationBuilder).Assembly);
        Setup.Apply(builder, configure);
        return builder;
    }
}
