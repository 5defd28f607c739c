using System.Diagnostics;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>The engine's log as MSBuild's.</summary>
/// <param name="log">MSBuild's.</param>
/// <param name="helpFile">The file that explains codes.</param>
internal sealed class TaskLog(TaskLoggingHelper log, string? helpFile) : IEngineLog
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    public void Warning(DiagnosticCode code, string message) =>
        log.LogWarning(null, code.Id, null, HelpLink(code), null, 0, 0, 0, 0, "{0}", message);

    public void Information(string message) => log.LogMessage(MessageImportance.High, "{0}", message);

    // Each line tells when it was written, so that a diagnostic log shows where the time goes.
    public void Detail(string message) => log.LogMessage(MessageImportance.Low, "[{0} ms] {1}", clock.ElapsedMilliseconds, message);

    /// <summary>Tells a failure in one line; what caused it stands in a detailed log only.</summary>
    /// <param name="exception">The failure.</param>
    public void Error(ImagePublishException exception)
    {
        var (line, column) = exception.Item is { } item ? Sources.Locate(item) : default;
        log.LogError(null, exception.Code.Id, null, HelpLink(exception.Code), exception.Item?.File, line, column, 0, 0, "{0}", exception.Message);
        if (exception.InnerException is { } cause)
            log.LogMessage(MessageImportance.Low, "{0}: caused by {1}", exception.Code.Id, cause.GetType().FullName);
    }

    private string? HelpLink(DiagnosticCode code) => helpFile is null ? null : new UriBuilder(Uri.UriSchemeFile, "") { Path = helpFile, Fragment = code.Anchor }.Uri.AbsoluteUri;
}
