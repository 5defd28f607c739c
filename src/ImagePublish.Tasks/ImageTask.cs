using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>The base of all tasks: turns failures into build errors, and handles cancellation.</summary>
public abstract class ImageTask : Microsoft.Build.Utilities.Task, ICancelableTask, IDisposable
{
    private readonly CancellationTokenSource cancellation = new();

    /// <summary>The folder that relative paths start from.</summary>
    public string ProjectDirectory { get; set; } = "";

    /// <summary>Parameters that several tasks get, as metadata of these items: the targets name each once.</summary>
    public ITaskItem[] Parameters { get; set; } = [];

    /// <summary>The file that explains every code; the package brings it along, so that help needs no network.</summary>
    public string? HelpFile { get; set; }

    /// <summary>
    /// The codes of warnings that are no errors in this project, although all others may be: <c>NoWarn</c> and <c>WarningsNotAsErrors</c>.
    /// </summary>
    public string? SparedWarnings { get; set; }

    /// <summary>What lines of progress begin with.</summary>
    internal virtual string LogName => "Image";

    /// <summary>What is done, to begin a sentence with.</summary>
    internal virtual string Activity => GetType().Name;

    /// <summary>What a cancellation leaves as it was, unless something was changed; null where that needs no mention.</summary>
    internal virtual string? LeftAlone => null;

    /// <summary>Does the work and turns every failure into one error with its code.</summary>
    /// <returns>Whether it succeeded.</returns>
    public sealed override bool Execute()
    {
        var wrongParameter = TaskParameters.Apply(this, Parameters);
        using var log = new TaskLog(Log, HelpFile, LogName, BuildEngine4, SparedWarnings);
        try
        {
            if (wrongParameter is not null)
                throw wrongParameter;
            using (BuildSession.LogTo(log))
                ExecuteAsync(log, cancellation.Token).GetAwaiter().GetResult();
        }
        catch (ImagePublishException exception)
        {
            log.Error(Explain(exception));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            log.Cancelled(Activity, LeftAlone);
            return false;
        }
#pragma warning disable CA1031 // The last resort: MSBuild would print the stack as an error.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            log.Unexpected(Activity, exception);
        }

        return !Log.HasLoggedErrors;
    }

    /// <inheritdoc/>
    public void Cancel() => cancellation.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Does the work.</summary>
    private protected abstract Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken);

    /// <summary>Says a failure in the words of whoever asked for the work.</summary>
    internal virtual ImagePublishException Explain(ImagePublishException exception) => exception;

    /// <summary>Frees what the task holds.</summary>
    /// <param name="disposing">Whether it is disposed rather than finalised.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            cancellation.Dispose();
    }

    /// <summary>The full path of a path that may be relative to the project.</summary>
    /// <param name="path">The path.</param>
    /// <returns>The full path.</returns>
    protected string FullPath(string path) =>
        Path.GetFullPath(path.Replace('\\', Path.DirectorySeparatorChar), Path.GetFullPath(ProjectDirectory));
}
