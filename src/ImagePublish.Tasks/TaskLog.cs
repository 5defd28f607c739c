using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting.Progress;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Progress;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>The engine's log as MSBuild's.</summary>
/// <param name="log">MSBuild's.</param>
/// <param name="helpFile">The file that explains codes.</param>
/// <param name="project">The project's name.</param>
/// <param name="engine">The build.</param>
internal sealed class TaskLog(TaskLoggingHelper log, string? helpFile, string project, IBuildEngine4 engine) : IEngineLog, IDisposable
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly Lock gate = new();
    private ProgressWatch? progress;

    public void Warning(DiagnosticCode code, string message)
    {
        log.LogWarning(null, code.Id, null, HelpLink(code), null, 0, 0, 0, 0, "{0}", message);
        new CiAnnotations(Environment.GetEnvironmentVariable, Information).Mark("warning", code.Id, message);
    }

    public void Information(string message)
    {
        log.LogMessage(MessageImportance.High, "{0}", message);
        TerminalEpilogue.Add(log, engine, message);
    }

    // Each line tells when it was written, so that a diagnostic log shows where the time goes.
    public void Detail(string message) => log.LogMessage(MessageImportance.Low, "[{0} ms] {1}", clock.ElapsedMilliseconds, message);

    public void Building(string layer, long bytes) => Begun().Build(layer, bytes);

    public void Compressed(string layer, long bytes) => Board.Compress(layer, bytes);

    public void Built(string layer) => Board.Finish(layer);

    public void Named(string blob, string name) => Board.Name(blob, name);

    public void Sending(string blob, long bytes) => Begun().Send(blob, bytes);

    public void Sent(string blob, long bytes) => Board.Advance(blob, bytes);

    public void Settled(string blob) => Board.Settle(blob);

    public void Waiting(string subject, TimeSpan pause, int next, int tries) => Begun().Wait(subject, pause, next, tries);

    public void Dispose() => progress?.Dispose();

    /// <summary>Tells a failure in one line; what caused it stands in a detailed log only.</summary>
    /// <param name="exception">The failure.</param>
    public void Error(ImagePublishException exception)
    {
        var (line, column) = exception.Item is { } item ? Sources.Locate(item) : default;
        log.LogError(null, exception.Code.Id, null, HelpLink(exception.Code), exception.Item?.File, line, column, 0, 0, "{0}", exception.Message);
        new CiAnnotations(Environment.GetEnvironmentVariable, Information).Mark("error", exception.Code.Id, exception.Message, exception.Item?.File, line);
        if (exception.InnerException is { } cause)
            log.LogMessage(MessageImportance.Low, "{0}: caused by {1}", exception.Code.Id, cause.GetType().FullName);
    }

    // A publish that changes nothing has no use for it.
    private ProgressWatch Progress
    {
        get
        {
            lock (gate)
                return progress ??= new ProgressWatch(TimeProvider.System, () => ProgressViews.Create(log, engine, project));
        }
    }

    private ProgressBoard Board => Progress.Board;

    private ProgressBoard Begun()
    {
        Progress.Begin();
        return Board;
    }

    private string? HelpLink(DiagnosticCode code) => helpFile is null ? null : new UriBuilder(Uri.UriSchemeFile, "") { Path = helpFile, Fragment = code.Anchor }.Uri.AbsoluteUri;
}
