using System.Collections.Concurrent;
using System.Diagnostics;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting.Progress;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Progress;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>The core's log as MSBuild's.</summary>
/// <remarks>
/// <para>
/// The one way out: no line that leaves here has an invisible character, a second line, a command of a CI system or a secret of this build
/// in it, whoever wrote it. Commands of ours are <see cref="AzureCommand"/>s, and have a way of their own.
/// </para>
/// <para>
/// Work in the background keeps the log of the task that started it. Once that task is over MSBuild accepts no messages: from then on
/// nothing is logged.
/// </para>
/// </remarks>
internal sealed class TaskLog(TaskLoggingHelper log, string? helpFile, string project, IBuildEngine4 engine, string? sparedWarnings)
    : IPublishLog,
        IDisposable
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly Lock gate = new();
    private readonly List<(NameChange Kind, string Name)> changes = [];
    private readonly ConcurrentDictionary<string, int> requests = new(StringComparer.Ordinal);
    private ProgressWatch? progress;
    private Redactor? redactor;
    private bool isOver;

    /// <summary>Takes secrets out of messages; all tasks of a build share it.</summary>
    public Redactor Redactor => redactor ??= BuildObjects.GetOrAdd(engine, "", () => new Redactor());

    public void Warning(DiagnosticCode code, string message) => Warning(code, message, null, 0);

    public void Warning(DiagnosticCode code, string message, string? file, int line) =>
        Write(() =>
        {
            var text = Fit(message);
            log.LogWarning(null, code.Id, null, HelpLink(code), FitOrNull(file), line, 0, 0, 0, "{0}", text);
            Annotate("warning", code.Id, text, file, line);
        });

    public bool IsError(DiagnosticCode code) => WarningSwitches.IsError(engine, code.Id, sparedWarnings);

    public void Information(string message) =>
        Write(() =>
        {
            var text = Fit(message);
            log.LogMessage(MessageImportance.High, "{0}", text);
            TerminalEpilogue.Add(log, engine, text);
        });

    public void Command(AzureCommand command) => Write(() => log.LogMessage(MessageImportance.High, "{0}", command.Line));

    // Each line has its time, so that a diagnostic log shows where the time goes.
    public void Detail(string message) =>
        Write(() => log.LogMessage(MessageImportance.Low, "[{0} ms] {1}", clock.ElapsedMilliseconds, Fit(message)));

    public void Changed(NameChange kind, string name)
    {
        lock (gate)
            changes.Add((kind, name));
    }

    /// <summary>The requests that the task has sent, by host.</summary>
    public IReadOnlyDictionary<string, int> Requests => requests;

    public void Requested(string host) => requests.AddOrUpdate(host, 1, static (_, count) => count + 1);

    // Rows of progress are drawn with escape sequences around these names.
    public void Building(string layer, long bytes) => Begun()?.Build(Text.OneLine(layer), bytes);

    public void Compressed(string layer, long bytes) => Board?.Compress(Text.OneLine(layer), bytes);

    public void Built(string layer) => Board?.Finish(Text.OneLine(layer));

    public void NameBlob(string blob, string name) => Board?.Name(blob, Text.OneLine(name));

    public void Sending(string blob, long bytes) => Begun()?.Send(blob, bytes);

    public void Sent(string blob, long bytes) => Board?.Advance(blob, bytes);

    public void Settled(string blob) => Board?.Settle(blob);

    public void Waiting(string subject, TimeSpan pause, int next, int tries) => Begun()?.Wait(Text.OneLine(subject), pause, next, tries);

    public void Dispose()
    {
        lock (gate)
            isOver = true;
        progress?.Dispose();
    }

    /// <summary>Reports a failure in one line; what caused it is in a detailed log only.</summary>
    public void Error(ImagePublishException exception)
    {
        var (line, column) = exception.Item is { } item ? ItemLocations.Locate(item) : default;
        var message = Fit(
            exception.TellsChanges || Changes is not { } made ? exception.Message : $"{exception.Message} Done before that: {made}."
        );
        log.LogError(
            null,
            exception.Code.Id,
            null,
            HelpLink(exception.Code),
            FitOrNull(exception.Item?.File),
            line,
            column,
            0,
            0,
            "{0}",
            message
        );
        Annotate("error", exception.Code.Id, message, exception.Item?.File, line);
        if (exception.InnerException is { } cause)
            log.LogMessage(MessageImportance.Low, "{0}: caused by {1}", exception.Code.Id, cause.GetType().FullName);
    }

    /// <summary>Reports an unexpected failure in one line; its stack is in a diagnostic log only.</summary>
    public void Unexpected(string activity, Exception exception)
    {
        var cause = exception is AggregateException ? exception.GetBaseException() : exception;
        Error(
            new ImagePublishException(
                DiagnosticCodes.Unexpected,
                $"{activity} failed: {cause.GetType().Name}: {Text.Sanitize(cause.Message)} This is a bug in ImagePublish.Tasks. "
                    + $"Run the command again with -v:diag, and report its output for {DiagnosticCodes.Unexpected}."
            )
        );
        log.LogMessage(
            MessageImportance.Low,
            "{0}: {1}",
            DiagnosticCodes.Unexpected,
            Text.Lines(Redactor.RedactMessage(exception.ToString()))
        );
    }

    public void Cancelled(string activity, string? leftAlone)
    {
        var outcome =
            Changes is { } made ? $". Done before that: {made}."
            : leftAlone is null ? "."
            : $"; {leftAlone}.";
        log.LogMessage(MessageImportance.High, "{0}", Fit($"{activity} was cancelled{outcome}"));
    }

    private string? Changes
    {
        get
        {
            lock (gate)
            {
                return changes.Count == 0
                    ? null
                    : string.Join(
                        "; ",
                        changes
                            .GroupBy(change => change.Kind)
                            .Select(kind =>
                            {
                                var names = string.Join(", ", kind.Select(change => change.Name).Distinct());
                                return $"{kind.Key.ToString().ToLowerInvariant()} {names}";
                            })
                    );
            }
        }
    }

    // A publish that changes nothing has no use for it.
    private ProgressWatch? Progress
    {
        get
        {
            lock (gate)
                return isOver
                    ? null
                    : progress ??= new ProgressWatch(TimeProvider.System, () =>
                        ProgressViews.Create(log, engine, Text.OneLine(project), line =>
                            log.LogMessage(MessageImportance.High, "{0}", Fit(line))
                        )
                    );
        }
    }

    private ProgressBoard? Board => Progress?.Board;

    private ProgressBoard? Begun()
    {
        Progress?.Start();
        return Board;
    }

    private string Fit(string message) => Text.OneLine(Redactor.RedactMessage(message));

    private static string? FitOrNull(string? file) => file is null ? null : Text.OneLine(file);

    private void Write(Action say)
    {
        lock (gate)
        {
            if (!isOver)
                say();
        }
    }

    private void Annotate(string kind, string code, string message, string? file = null, int line = 0) =>
        new CiAnnotations(TaskEnvironment.Variable, Command).Mark(kind, code, message, file, line);

    private string? HelpLink(DiagnosticCode code) =>
        helpFile is null
            ? null
            : new UriBuilder(Uri.UriSchemeFile, "") { Path = helpFile, Fragment = code.Anchor }
                .Uri
                .AbsoluteUri;
}
