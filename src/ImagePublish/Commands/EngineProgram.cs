using System.ComponentModel;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;

namespace ImagePublish.Commands;

/// <summary>The client program of a container engine: how it is run, and how its failures are reported.</summary>
/// <param name="find">Finds the program; null for the PATH.</param>
/// <param name="time">The clock for <see cref="DockerEngine.SilenceLimit"/>; null for the system's.</param>
internal sealed class EngineProgram(string name, Func<string, string?>? find = null, TimeProvider? time = null)
{
    public string Name => name;

    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it is not there, or can't be started.</exception>
    /// <exception cref="TimeoutException">It took longer than its time limit.</exception>
    public Task<ProgramResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken, TimeSpan? timeLimit = null) =>
        RunAsync(StartOf(arguments) with { TimeLimit = timeLimit }, cancellationToken);

    /// <summary>Runs a command that loads an image: it may take as long as it needs, unless nothing moves any more.</summary>
    /// <param name="command">What it is called in errors.</param>
    /// <exception cref="ImagePublishException"><c>IMG3108</c>: it is not there, can't be started, or is silent for too long.</exception>
    public async Task<ProgramResult> LoadAsync(
        string command,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken,
        Func<Stream, CancellationToken, Task>? writeInputAsync = null
    )
    {
        var start = StartOf(arguments) with
        {
            WriteInputAsync = writeInputAsync,
            IdleLimit = DockerEngine.SilenceLimit,
            Time = time ?? TimeProvider.System,
        };
        try
        {
            return await RunAsync(start, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new EngineSilentException($"'{name} {command}'", "loads the image", DockerEngine.SilenceLimit, exception);
        }
    }

    private ProgramStart StartOf(IReadOnlyList<string> arguments)
    {
        var found = (find ?? Programs.Find)(name)
            ?? throw new ImagePublishException(
                DiagnosticCodes.EngineFailed,
                $"'{name}' is not on the PATH. Install it, or choose another engine with ImageLoad."
            );
        return new ProgramStart(found, arguments) { Secrets = ProgramSecrets.Engine };
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
                $"'{name}' can't be started: {Text.Sanitize(exception.Message)}. Install it, or choose another engine with ImageLoad.",
                exception
            );
        }
    }

    /// <param name="command">What it was asked to do, such as <c>load</c>.</param>
    /// <param name="advice">What to do about it, as a sentence.</param>
    public ImagePublishException Refused(string command, string errors, string advice)
    {
        var reason = Text.Sanitize(errors.Trim().ReplaceLineEndings(" ")).TrimEnd('.');
        return new ImagePublishException(DiagnosticCodes.EngineFailed, $"'{name} {command}' failed: {reason}. {advice}");
    }
}
