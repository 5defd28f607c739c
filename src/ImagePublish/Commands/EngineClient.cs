using System.ComponentModel;
using System.Diagnostics;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>Docker or podman on this machine, used by their own client: it knows contexts, sockets and remote machines.</summary>
internal sealed class EngineClient(string program) : IContainerEngine
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    public string Program => program;

    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        using var process = Start("load");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await ArchiveWriter.WriteAsync([image], process.StandardInput.BaseStream, cancellationToken);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading: its error output explains why.
            }

            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? new LoadedImage((await output).Trim(), image.Blobs.Sum(blob => blob.Descriptor.Size), 0)
                : throw Refused(await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Whether the engine answers its client.</summary>
    internal async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeout);
        try
        {
            using var process = Start("version");
            process.StandardInput.Close();
            await Task.WhenAll(
                process.StandardOutput.ReadToEndAsync(limit.Token),
                process.StandardError.ReadToEndAsync(limit.Token),
                process.WaitForExitAsync(limit.Token)
            );
            return process.ExitCode == 0;
        }
        catch (Exception exception)
            when (exception is ImagePublishException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return false;
        }
    }

    private Process Start(string command)
    {
        var found = Programs.Find(program)
            ?? throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"'{program}' is not on the PATH. Install it, or choose the other of docker and podman with ImageLoad."
            );
        try
        {
            return Programs.Start(new ProgramStart(found, [command]) { Secrets = ProgramSecrets.Engine });
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
