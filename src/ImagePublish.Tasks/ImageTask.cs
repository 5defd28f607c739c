using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>The base of all tasks: turns failures into build errors, and handles cancellation.</summary>
public abstract class ImageTask : Microsoft.Build.Utilities.Task, ICancelableTask, IDisposable
{
    // Longer than a publish that changes nothing takes: the node is not given away for less.
    private static readonly TimeSpan YieldAfter = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource cancellation = new();

    static ImageTask() => RareLibraries.Register();

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
    /// <remarks>
    /// Work that takes long waits for the network, for the most part: MSBuild builds other projects on this node meanwhile, unless there is
    /// only one node (<c>-m:1</c>), where it builds one project after the other.
    /// </remarks>
    public sealed override bool Execute()
    {
        // MSBuild wants this thread back, and whatever the work changes in its own context must not stay here.
        var work = Task.Run(RunAsync);
        if (!HasEnded(work, YieldAfter))
        {
            BuildEngine4.Yield();
            try
            {
                HasEnded(work, Timeout.InfiniteTimeSpan);
            }
            finally
            {
                BuildEngine4.Reacquire();
            }
        }

        return work.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Cancel() => cancellation.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    // Its log is closed when this ends: what reacquires the node waits for it inside the lock that messages of this task need.
    private async Task<bool> RunAsync()
    {
        TaskEnvironment.Keep();
        var wrongParameter = TaskParameters.Apply(this, Parameters);
        using var log = new TaskLog(Log, HelpFile, LogName, BuildEngine4, SparedWarnings);
        try
        {
            if (wrongParameter is not null)
                throw wrongParameter;
            using (BuildSession.LogTo(log))
                await StartAsync(log, cancellation.Token);
        }
        catch (ImagePublishException exception)
        {
            log.Error(Explain(exception));
            Failed(exception.Code, log);
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
            Failed(DiagnosticCodes.Unexpected, log);
        }

        return !Log.HasLoggedErrors;
    }

    // Unlike Task.Wait it does not throw what the work threw.
    private static bool HasEnded(Task work, TimeSpan limit) => ((IAsyncResult)work).AsyncWaitHandle.WaitOne(limit);

    /// <summary>Does the work, and what there is to do around it.</summary>
    private protected virtual Task StartAsync(IPublishLog log, CancellationToken cancellationToken) => ExecuteAsync(log, cancellationToken);

    /// <summary>Does the work.</summary>
    private protected abstract Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken);

    /// <summary>Says a failure in the words of whoever asked for the work.</summary>
    internal virtual ImagePublishException Explain(ImagePublishException exception) => exception;

    /// <summary>Does what there is to do after a failure that was logged.</summary>
    internal virtual void Failed(DiagnosticCode code, TaskLog log) { }

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
