using ImagePublish.Reporting.Progress;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Progress;

/// <summary>Chooses how progress is shown.</summary>
internal static class ProgressViews
{
    /// <summary>Bars below the rows of the terminal logger; lines in any other log, more of them in an interactive terminal.</summary>
    /// <remarks>
    /// The classic console logger prints lines at any time, from a thread of its own and in several writes. Rows below them would be
    /// overwritten without being erased, and a scrolling region would outlive a build that is killed. So it gets lines.
    /// </remarks>
    public static IProgressView Create(TaskLoggingHelper log, IBuildEngine4 engine, string project, Action<string> say)
    {
        Func<string, string?> variable = TaskEnvironment.Variable;
        var isWatched = IsWatched(log);
        if (isWatched && ConsoleTerminal.HasTerminalLogger(variable))
            return new TerminalProgress(
                IsOneOfSeveral(engine) ? project : null,
                BuildObjects.GetOrAdd(engine, "", () => new TerminalRows(new ConsoleTerminal()))
            );
        var style = isWatched ? ProgressLineStyle.Terminal(new ConsoleTerminal().IsUnicode) : ProgressLineStyle.Log;
        return new ProgressLines(project, say, style);
    }

    public static bool IsWatched(TaskLoggingHelper log) =>
        ConsoleTerminal.IsThere(TaskEnvironment.Variable)
        && log.LogsMessagesOfImportance(MessageImportance.High)
        && !ConsoleTerminal.IsQuiet(Environment.GetCommandLineArgs());

    /// <summary>Whether what this process prints is the log of the build, in a terminal or not, and people want to read it.</summary>
    /// <remarks>
    /// What the command line asks a server for is not known to it. Where every message is gathered, there may be no log at all, but values.
    /// </remarks>
    public static bool IsRead(TaskLoggingHelper log) =>
        log.LogsMessagesOfImportance(MessageImportance.High)
        && Environment.GetCommandLineArgs() is var arguments
        && !ConsoleTerminal.IsQuiet(arguments)
        && !ConsoleTerminal.IsNotTheLog(arguments)
        && !(ConsoleTerminal.IsServer(arguments) && log.LogsMessagesOfImportance(MessageImportance.Low));

    // A solution gives its projects the path of its file.
    private static bool IsOneOfSeveral(IBuildEngine4 engine) =>
        engine is IBuildEngine6 build && build.GetGlobalProperties().ContainsKey("SolutionPath");
}
