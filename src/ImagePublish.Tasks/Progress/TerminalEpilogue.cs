using System.Collections.Concurrent;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Progress;

/// <summary>
/// What is printed last. Below the terminal logger's last row that is what tasks print for people: the terminal logger shows no task's
/// messages, and without this a table that was asked for, and the image's digest and next command, would be nowhere. And below any log it
/// is the summary of the whole build, which is known when no task can log any more.
/// </summary>
/// <remarks>
/// It is printed when the process ends. An MSBuild server does not end: there, it is printed when MSBuild disposes of what tasks have
/// registered for the build.
/// </remarks>
internal sealed class TerminalEpilogue : IDisposable
{
    private static readonly bool IsOfServer = ConsoleTerminal.IsServer(Environment.GetCommandLineArgs());

    private readonly ConcurrentQueue<string> lines = new();
    private readonly ConcurrentQueue<string> summary = new();

    private TerminalEpilogue()
    {
        if (!IsOfServer)
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Print();
    }

    public static TerminalEpilogue GetOrCreate(IBuildEngine4 engine) => BuildObjects.GetOrAdd(engine, "", () => new TerminalEpilogue());

    /// <summary>Adds lines that are printed last.</summary>
    public void Summarize(IEnumerable<string> last)
    {
        foreach (var line in last)
            summary.Enqueue(line);
        // The build is over, and this may have been disposed of.
        if (IsOfServer)
            Print();
    }

    public static void Add(TaskLoggingHelper log, IBuildEngine4 engine, string line)
    {
        // A server has no terminal of its own: what it prints is shown by the process that asked for the build.
        var isShown = ProgressViews.IsWatched(log) || (IsOfServer && ProgressViews.IsRead(log));
        if (isShown && ConsoleTerminal.HasTerminalLogger(TaskEnvironment.Variable))
            GetOrCreate(engine).lines.Enqueue(line);
    }

    public void Dispose()
    {
        if (IsOfServer)
            Print();
    }

    private void Print()
    {
        var all = lines.Concat(summary).ToList();
        lines.Clear();
        summary.Clear();
        if (all.Count > 0)
            new ConsoleTerminal().Write(string.Concat(all.Select(line => $"{line}{Environment.NewLine}")));
    }
}
