using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Makes sure that a container engine answers, before anything is built for it.</summary>
public sealed class FindContainerEngine : ImageTask
{
    /// <summary><c>docker</c>, <c>podman</c> or <c>auto</c>.</summary>
    [Required]
    public string Load { get; set; } = "";

    /// <summary>The engine that answers: <c>docker</c> or <c>podman</c>.</summary>
    [Output]
    public string Engine { get; private set; } = "";

    private protected override async Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var engine = Load switch
        {
            EngineChoice.Podman => await ContainerEngines.FindPodmanAsync(cancellationToken),
            EngineChoice.Docker => await ContainerEngines.FindDockerAsync(EngineEnvironment.Settings, cancellationToken),
            _ => await ContainerEngines.FindAnyAsync(EngineEnvironment.Settings, cancellationToken),
        };
        using var owned = engine as IDisposable;
        Engine = engine.Program;
    }

    internal override ImagePublishException Explain(ImagePublishException exception) =>
        exception.Code == DiagnosticCodes.EngineFailed
            ? new ImagePublishException(
                exception.Code,
                $"{exception.Message} No registry is named, so the image would go to the container engine on this machine. (CONTAINER1012)",
                exception
            )
            : exception;
}
