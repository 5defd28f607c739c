using System.Collections.Concurrent;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Progress;

/// <summary>
/// What tasks print for people, below the terminal logger's last row when the process ends. The terminal logger shows no task's messages:
/// without this a table that was asked for, and the image's digest and next command, would be nowhere.
/// </summary>
internal sealed class TerminalEpilogue
{
    private readonly ConcurrentQueue<string> lines = new();

    private TerminalEpilogue() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            new ConsoleTerminal().Write(string.Concat(lines.Select(line => $"{line}{Environment.NewLine}")));

    public static void Add(TaskLoggingHelper log, IBuildEngine4 engine, string line)
    {
        if (ProgressViews.IsWatched(log) && ConsoleTerminal.HasTerminalLogger(TaskEnvironment.Variable))
            BuildObjects.GetOrAdd(engine, "", () => new TerminalEpilogue()).lines.Enqueue(line);
    }
}
