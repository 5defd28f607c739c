using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Docker, podman or nerdctl on this machine, used by its own client: it knows contexts, sockets and remote machines.</summary>
/// <param name="scope">nerdctl's namespace of containerd; null for its own default.</param>
internal sealed class EngineClient(EngineProgram client, string? scope = null) : IContainerEngine
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    public string Program => client.Name;

    public string Title => scope is null ? Program : $"{Program}, namespace {scope}";

    // Containerd finds an image by nothing but its name.
    public bool NeedsName => Program == EngineChoice.Nerdctl;

    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        string[] arguments = scope is null ? ["load"] : ["--namespace", scope, "load"];
        var result = await client.LoadAsync("load", arguments, cancellationToken, (input, stop) =>
            ArchiveWriter.WriteAsync([image], input, stop)
        );
        return result.ExitCode == 0
            ? LoadedImage.Create(result.Text.Trim(), image) with
            {
                Only = OnlyOf(image),
            }
            : throw client.Refused("load", result.Errors, "Check that the engine runs and that you may use it.");
    }

    // Docker, where only its client reaches it, may keep all of them.
    private Platform? OnlyOf(ArchiveImage image) =>
        Program == EngineChoice.Docker || image.Platforms.Count < 2 ? null : image.Single?.Config.Platform;

    internal async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await client.RunAsync(["version"], cancellationToken, timeLimit: AnswerTimeout)).ExitCode == 0;
        }
        catch (Exception exception) when (exception is ImagePublishException or TimeoutException)
        {
            return false;
        }
    }
}
