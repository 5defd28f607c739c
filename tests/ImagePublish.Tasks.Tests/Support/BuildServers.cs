using System.Collections.Concurrent;
using System.Globalization;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// The MSBuild servers of this test run: a build on a server that has built before takes a third of the time. Each serves one build at a
/// time, so there are as many as builds run side by side. They end with the run.
/// </summary>
public static class BuildServers
{
    // MSBuild's own means to keep servers and nodes of different users of one machine apart.
    private const string Salt = "MSBUILDNODEHANDSHAKESALT";

    private static readonly string Prefix = $"imagepublish-tests-{Environment.ProcessId}-";
    private static readonly ConcurrentStack<string> Idle = new();
    private static int Count;

    /// <summary>Runs a command on a server that is idle, or on a new one.</summary>
    public static async Task<CommandOutput> RunAsync(CommandLine command, CancellationToken cancellationToken)
    {
        if (!Idle.TryPop(out var server))
            server = New();
        try
        {
            return await On(server, command).RunAsync(cancellationToken);
        }
        finally
        {
            Idle.Push(server);
        }
    }

    /// <summary>The same, and demands exit code 0.</summary>
    public static async Task<CommandOutput> SucceedAsync(CommandLine command, CancellationToken cancellationToken) =>
        (await RunAsync(command, cancellationToken)).EnsureSuccess();

    /// <summary>The name of a server that nothing was built on.</summary>
    public static string New() => Prefix + Interlocked.Increment(ref Count).ToString(CultureInfo.InvariantCulture);

    /// <summary>Ends the servers, and the nodes that they started.</summary>
    public static void Stop() => MarkedProcesses.End($"{Salt}={Prefix}");

    /// <summary>The same command on this server, which starts with the first.</summary>
    public static CommandLine On(string server, CommandLine command) =>
        command with
        {
            Environment = new Dictionary<string, string?>(command.Environment)
            {
                ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "1",
                ["MSBUILDDISABLENODEREUSE"] = null,
                [StartupHook.Variable] = typeof(StartupHook).Assembly.Location,
                [Salt] = server,
            },
        };
}
