using System.Collections.Concurrent;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Progress;

/// <summary>
/// What is printed when the process ends. Below the terminal logger's last row that is what tasks print for people: the terminal logger
/// shows no task's messages, and without this a table that was asked for, and the image's digest and next command, would be nowhere. And
/// below any log it is the summary of the whole build, which is known when no task can log any more.
/// </summary>
internal sealed class TerminalEpilogue
{
    private readonly ConcurrentQueue<string> lines = new();
    private readonly ConcurrentQueue<string> summary = new();

    private TerminalEpilogue() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (lines.Concat(summary).Any())
                new ConsoleTerminal().Write(string.Concat(lines.Concat(summary).Select(line => $"{line}{Environment.NewLine}")));
        };

    public static TerminalEpilogue GetOrCreate(IBuildEngine4 engine) => BuildObjects.GetOrAdd(engine, "", () => new TerminalEpilogue());

    /// <summary>Adds lines that are printed last.</summary>
    public void Summarize(IEnumerable<string> last)
    {
        foreach (var line in last)
            summary.Enqueue(line);
    }

    public static void Add(TaskLoggingHelper log, IBuildEngine4 engine, string line)
    {
        if (ProgressViews.IsWatched(log) && ConsoleTerminal.HasTerminalLogger(TaskEnvironment.Variable))
            GetOrCreate(engine).lines.Enqueue(line);
    }
}
