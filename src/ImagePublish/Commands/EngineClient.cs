using System.ComponentModel;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Docker or podman on this machine, used by their own client: it knows contexts, sockets and remote machines.</summary>
/// <param name="find">Finds the program; null for the PATH.</param>
/// <param name="time">The clock for <see cref="DockerEngine.SilenceLimit"/>; null for the system's.</param>
internal sealed class EngineClient(string program, Func<string, string?>? find = null, TimeProvider? time = null) : IContainerEngine
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    public string Program => program;

    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        var start = StartOf("load") with
        {
            WriteInputAsync = (input, stop) => ArchiveWriter.WriteAsync([image], input, stop),
            IdleLimit = DockerEngine.SilenceLimit,
            Time = time ?? TimeProvider.System,
        };
        ProgramResult result;
        try
        {
            result = await RunAsync(start, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new EngineSilentException($"'{program} load'", "loads the image", DockerEngine.SilenceLimit, exception);
        }

        return result.ExitCode == 0
            ? new LoadedImage(result.Text.Trim(), image.Blobs.Sum(blob => blob.Descriptor.Size), 0)
            : throw Refused(result.Errors);
    }

    internal async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await RunAsync(StartOf("version") with { TimeLimit = AnswerTimeout }, cancellationToken)).ExitCode == 0;
        }
        catch (Exception exception) when (exception is ImagePublishException or TimeoutException)
        {
            return false;
        }
    }

    private ProgramStart StartOf(string command)
    {
        var found = (find ?? Programs.Find)(program)
            ?? throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"'{program}' is not on the PATH. Install it, or choose the other of docker and podman with ImageLoad."
            );
        return new ProgramStart(found, [command]) { Secrets = ProgramSecrets.Engine };
    }

    private async Task<ProgramResult> RunAsync(ProgramStart start, CancellationToken cancellationToken)
    {
        try
        {
            return await Programs.RunAsync(start, cancellationToken);
        }
        catch (Win32Exception exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"'{program}' can't be started: {Text.Sanitize(exception.Message)}. Install it, or choose the "
                    + "other of docker and podman with ImageLoad.",
                exception
            );
        }
    }

    private ImagePublishException Refused(string error)
    {
        var reason = Text.Sanitize(error.Trim().ReplaceLineEndings(" "));
        return new ImagePublishException(
            DiagnosticCodes.EngineFailed,
            $"'{program} load' refuses the image: {reason} Check that the engine runs and that you may use it."
        );
    }
}
