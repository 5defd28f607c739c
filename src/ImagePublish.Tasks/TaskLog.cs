using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Ci;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>The engine's log as MSBuild's.</summary>
/// <param name="log">MSBuild's.</param>
/// <param name="helpFile">The file that explains codes.</param>
/// <param name="project">The project's name.</param>
internal sealed class TaskLog(TaskLoggingHelper log, string? helpFile, string project) : IEngineLog, IDisposable
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly ProgressLines progress = new(project, line => log.LogMessage(MessageImportance.High, "{0}", line), TimeProvider.System);

    public void Warning(DiagnosticCode code, string message)
    {
        log.LogWarning(null, code.Id, null, HelpLink(code), null, 0, 0, 0, 0, "{0}", message);
        new CiAnnotations(Environment.GetEnvironmentVariable, Information).Mark("warning", code.Id, message);
    }

    public void Information(string message) => log.LogMessage(MessageImportance.High, "{0}", message);

    // Each line tells when it was written, so that a diagnostic log shows where the time goes.
    public void Detail(string message) => log.LogMessage(MessageImportance.Low, "[{0} ms] {1}", clock.ElapsedMilliseconds, message);

    public void Sending(long bytes) => progress.Expect(bytes);

    public void Sent(long bytes) => progress.Add(bytes);

    public void Building(string layer, long bytes) => progress.Build(layer, bytes);

    public void Built(string layer) => progress.Finish(layer);

    public void Dispose() => progress.Dispose();

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

    private string? HelpLink(DiagnosticCode code) => helpFile is null ? null : new UriBuilder(Uri.UriSchemeFile, "") { Path = helpFile, Fragment = code.Anchor }.Uri.AbsoluteUri;
}
