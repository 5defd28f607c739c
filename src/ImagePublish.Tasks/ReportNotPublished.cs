using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Tells whoever sets <c>PublishImage</c> for a build alone that no image comes of it. In a project it is there for its
/// publishes.</summary>
public sealed class ReportNotPublished : ImageTask
{
    private static readonly string[] Builds = ["Build", "Rebuild"];

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (
            BuildEngine is IBuildEngine6 engine
            && engine.GetGlobalProperties().ContainsKey("PublishImage")
            && ProjectEvaluation.RequestedTargets(engine) is { } targets
            && targets.All(target => Builds.Contains(target, StringComparer.OrdinalIgnoreCase))
            && BuildObjects.IsFirst(BuildEngine4, nameof(ReportNotPublished))
        )
            log.Information(
                "PublishImage makes an image when a project is published, and this is a build. Run dotnet publish with the same "
                    + "options, or dotnet build -t:PublishImage."
            );
        return Task.CompletedTask;
    }
}
