using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>A container engine or a local cluster that images are loaded into.</summary>
internal interface IContainerEngine
{
    string Program { get; }

    /// <summary>The engine, and where in it: a namespace or a cluster.</summary>
    string Title => Program;

    /// <summary>Whether an image without a tag must have a name by digest.</summary>
    bool NeedsName => false;

    /// <summary>What an image is called there.</summary>
    string NameOf(string name) => name;

    /// <summary>Loads an image as its archive is written: nothing is stored in between.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine is not there, does not answer or refuses.</exception>
    Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken);
}

/// <summary>An image that an engine has now.</summary>
internal sealed record LoadedImage(string Output, long SentBytes, long KnownBytes)
{
    /// <summary>The one platform that the engine has of an image for several; null where it has all.</summary>
    public Platform? Only { get; init; }

    /// <param name="known">The blobs that the engine had, which were not sent; null for none.</param>
    public static LoadedImage Create(string output, ArchiveImage image, HashSet<Digest>? known = null)
    {
        var all = image.Blobs.Sum(blob => blob.Descriptor.Size);
        var left = image.Blobs.Where(blob => known?.Contains(blob.Descriptor.Digest) == true).Sum(blob => blob.Descriptor.Size);
        return new LoadedImage(output, all - left, left);
    }
}

/// <summary>What <c>ImageLoad</c> says: an engine, and where in it, as in <c>containerd:k8s.io</c> or <c>kind:dev</c>.</summary>
/// <param name="Scope">The namespace of containerd or the cluster of kind; null for the engine's default.</param>
internal sealed partial record EngineChoice(string Program, string? Scope)
{
    public const string Auto = "auto";
    public const string Docker = "docker";
    public const string Podman = "podman";
    public const string Nerdctl = "nerdctl";
    public const string Containerd = "containerd";
    public const string Kind = "kind";

    public const string Expected =
        "expected docker, podman, auto, nerdctl, containerd or kind; the last three may be followed by a namespace or a cluster, as in "
        + "containerd:k8s.io";

    private const string KubernetesNamespace = "k8s.io";
    private const string ContainerdNamespace = "CONTAINERD_NAMESPACE";

    // The variables that the engines' own clients read.
    private static readonly Dictionary<string, string?> ScopeVariables = new(StringComparer.OrdinalIgnoreCase)
    {
        [Auto] = null,
        [Docker] = null,
        [Podman] = null,
        [Nerdctl] = ContainerdNamespace,
        [Containerd] = ContainerdNamespace,
        [Kind] = "KIND_CLUSTER_NAME",
    };

    /// <summary>Whether Kubernetes finds the image there.</summary>
    public bool IsKubernetes => Program == Kind || Scope == KubernetesNamespace;

    /// <summary>Reads the property; null where it names no engine.</summary>
    public static EngineChoice? TryParse(string text, EngineSettings settings)
    {
        var parts = text.Trim().Split(':', 2);
        var program = parts[0].Equals("true", StringComparison.OrdinalIgnoreCase) ? Auto : parts[0].ToLowerInvariant();
        if (!ScopeVariables.TryGetValue(program, out var variable))
            return null;
        if (parts is [_, var scope])
            return variable is not null && ScopeName().IsMatch(scope) ? new EngineChoice(program, scope) : null;
        var usual = variable is null ? null : settings.Variable(variable);
        return new EngineChoice(program, string.IsNullOrEmpty(usual) ? null : usual);
    }

    // containerd's rule for namespaces; names of clusters are stricter.
    [GeneratedRegex(@"\A[A-Za-z0-9]+([._-][A-Za-z0-9]+)*\z")]
    private static partial Regex ScopeName();
}

/// <summary>Finds the container engines of this machine.</summary>
internal static class ContainerEngines
{
    private const string DefaultNamespace = "default";
    private const string ContainerdAddress = "CONTAINERD_ADDRESS";

    /// <summary>The engine that is chosen.</summary>
    /// <param name="store">The local store, for files of the load that are not needed afterwards.</param>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it does not answer.</exception>
    public static async Task<IContainerEngine> FindAsync(
        EngineChoice choice,
        EngineSettings settings,
        ImageStore store,
        CancellationToken cancellationToken
    ) =>
        choice.Program switch
        {
            EngineChoice.Docker => await FindDockerAsync(settings, cancellationToken),
            EngineChoice.Podman or EngineChoice.Nerdctl => new EngineClient(new EngineProgram(choice.Program), choice.Scope),
            EngineChoice.Containerd => new ContainerdClient(
                choice.Scope ?? DefaultNamespace,
                settings.Variable(ContainerdAddress) is { Length: > 0 } address ? address : null
            ),
            EngineChoice.Kind => new KindCluster(choice.Scope, store.Disk),
            _ => await FindAnyAsync(settings, cancellationToken),
        };

    /// <summary>The first engine that answers.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: neither answers.</exception>
    public static async Task<IContainerEngine> FindAnyAsync(EngineSettings settings, CancellationToken cancellationToken)
    {
        var (docker, failure) = await TryFindDockerAsync(settings, cancellationToken);
        if (docker is not null)
            return docker;
        var podman = new EngineClient(new EngineProgram(EngineChoice.Podman));
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
        var podman = new EngineClient(new EngineProgram(EngineChoice.Podman));
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
        if (DockerAddress.Find(settings) is { } address)
        {
            var engine = new DockerEngine(address);
            failure = await engine.TryPingAsync(cancellationToken);
            if (failure is null)
                return (new DockerLoader(engine), null);
            engine.Dispose();
        }

        var client = new EngineClient(new EngineProgram(EngineChoice.Docker));
        return await client.AnswersAsync(cancellationToken) ? (client, null) : (null, failure);
    }
}
