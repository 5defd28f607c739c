using System.Collections.Concurrent;
using System.Diagnostics;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A program that runs beside the tests. It gets SIGTERM when it is stopped, and also when this process dies in whatever way:
/// a shell watches a pipe whose other end is held here.
/// </summary>
public sealed class Server : IAsyncDisposable
{
    private const string Watch = """
        exec 3<&0
        "$@" 3<&- </dev/null &
        server=$!
        echo "$server"
        (cat <&3; kill "$server") >/dev/null 2>&1 &
        watcher=$!
        wait "$server"
        code=$?
        kill "$watcher" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly CommandLine command;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TaskCompletionSource<int> id = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Server(CommandLine command)
    {
        this.command = command;
        process = new Process { StartInfo = StartInfo(command) };
        process.OutputDataReceived += (_, line) => Received(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>What it has written until now, line by line.</summary>
    public IReadOnlyCollection<string> Lines => lines;

    /// <summary>Starts the program and waits until <paramref name="isReady"/>.</summary>
    public static async Task<Server> StartAsync(CommandLine command, Func<Server, Task<bool>> isReady, CancellationToken cancellationToken)
    {
        var server = new Server(command);
        server.process.Start();
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        try
        {
            var clock = Stopwatch.StartNew();
            while (!await isReady(server))
            {
                if (server.process.HasExited || clock.Elapsed > Patience)
                    throw new InvalidOperationException($"{command} did not come up:\n{string.Join('\n', server.lines)}");
                await Task.Delay(50, cancellationToken);
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        using var victim = Process.GetProcessById(await id.Task);
        victim.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private void Received(string? line)
    {
        if (!id.Task.IsCompleted && int.TryParse(line, out var number))
            id.SetResult(number);
        else
            Keep(line);
    }

    private void Keep(string? line)
    {
        if (line is not null)
            lines.Enqueue(line);
    }

    private static ProcessStartInfo StartInfo(CommandLine command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Watch, "sh", command.Program, .. command.Arguments])
        {
            WorkingDirectory = command.WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        return start;
    }
}
