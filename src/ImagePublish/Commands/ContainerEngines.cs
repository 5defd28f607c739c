using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Docker or podman on this machine.</summary>
internal interface IContainerEngine
{
    string Program { get; }

    /// <summary>Loads an image as its archive is written: nothing is stored in between.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine is not there, does not answer or refuses.</exception>
    Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken);
}

/// <summary>An image that an engine has now.</summary>
internal sealed record LoadedImage(string Output, long SentBytes, long KnownBytes);

/// <summary>Finds the container engines of this machine.</summary>
internal static class ContainerEngines
{
    /// <summary>The first engine that answers.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: neither answers.</exception>
    public static async Task<IContainerEngine> FindAsync(EngineSettings settings, CancellationToken cancellationToken)
    {
        var (docker, failure) = await TryFindDockerAsync(settings, cancellationToken);
        if (docker is not null)
            return docker;
        var podman = new EngineClient("podman");
        if (await podman.AnswersAsync(cancellationToken))
            return podman;
        var reason = failure is null ? "" : $" ({failure.Message})";
        throw new ImagePublishException(
            DiagnosticCodes.EngineFailed,
            "Neither docker nor podman answers on this machine. Start one, or write an archive with ImageArchive "
                + $"instead of ImageLoad.{reason}"
        );
    }

    /// <summary>Docker: by its API, or by its client where only that knows the way.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it does not answer.</exception>
    public static async Task<IContainerEngine> FindDockerAsync(EngineSettings settings, CancellationToken cancellationToken)
    {
        var (docker, failure) = await TryFindDockerAsync(settings, cancellationToken);
        return docker
            ?? throw failure
                ?? new ImagePublishException(
                    DiagnosticCodes.EngineFailed,
                    "Docker's client can't be started, or gets no answer; it is needed to reach Docker by ssh "
                        + "or with certificates. Install or start it, or write an archive with ImageArchive."
                );
    }

    /// <summary>Podman, asked whether it answers.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it does not.</exception>
    public static async Task<IContainerEngine> FindPodmanAsync(CancellationToken cancellationToken)
    {
        var podman = new EngineClient("podman");
        return await podman.AnswersAsync(cancellationToken)
            ? podman
            : throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                "podman can't be started, or does not answer. Install or start it, or write an archive with ImageArchive."
            );
    }

    private static async Task<(IContainerEngine? Engine, ImagePublishException? Failure)> TryFindDockerAsync(
        EngineSettings settings,
        CancellationToken cancellationToken
    )
    {
        ImagePublishException? failure = null;
        if (EngineAddress.Find(settings) is { } address)
        {
            var engine = new DockerEngine(address);
            failure = await engine.TryPingAsync(cancellationToken);
            if (failure is null)
                return (new DockerLoader(engine), null);
            engine.Dispose();
        }

        var client = new EngineClient("docker");
        return await client.AnswersAsync(cancellationToken) ? (client, null) : (null, failure);
    }
}
