using System.ComponentModel;
using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Verbs;

/// <summary>Docker or podman on this machine, spoken to by their own client: it knows contexts, sockets and remote machines.</summary>
/// <param name="program">The client, <c>docker</c> or <c>podman</c>.</param>
public sealed class ContainerEngine(string program)
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The client's name.</summary>
    public string Program => program;

    /// <summary>The first engine that answers.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Docker, else podman.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: neither answers.</exception>
    public static async Task<ContainerEngine> FindAsync(CancellationToken cancellationToken)
    {
        foreach (var candidate in (ContainerEngine[])[new("docker"), new("podman")])
        {
            if (await candidate.AnswersAsync(cancellationToken))
                return candidate;
        }

        throw new ImagePublishException(DiagnosticCodes.EngineFailed, "Neither docker nor podman answers on this machine. Start one, or write an archive with ImageArchive instead of ImageLoad.");
    }

    /// <summary>Loads an archive as it is written: nothing is stored in between.</summary>
    /// <param name="write">Writes the archive.</param>
    /// <param name="cancellationToken">Gives up, and ends the client.</param>
    /// <returns>What the engine said.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: the engine is not there, does not answer or refuses.</exception>
    public async Task<string> LoadAsync(Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var process = Start("load");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await write(process.StandardInput.BaseStream, cancellationToken);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading; what it says tells why.
            }

            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? (await output).Trim() : throw Refused(await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeout);
        try
        {
            using var process = Start("version");
            process.StandardInput.Close();
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token), process.WaitForExitAsync(limit.Token));
            return process.ExitCode == 0;
        }
        catch (Exception exception) when (exception is ImagePublishException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private Process Start(string verb)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, [verb]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception exception)
        {
            throw new ImagePublishException(DiagnosticCodes.EngineFailed, $"'{program}' can't be started: {Text.Shown(exception.Message)}. Install it, or choose the other of docker and podman with ImageLoad.", exception);
        }
    }

    private ImagePublishException Refused(string said) => new(
        DiagnosticCodes.EngineFailed, $"'{program} load' refuses the image: {Text.Shown(said.Trim().ReplaceLineEndings(" "))} Check that the engine runs and that you may use it.");
}
