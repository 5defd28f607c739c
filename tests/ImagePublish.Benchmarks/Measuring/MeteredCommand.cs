using System.Diagnostics;
using System.Globalization;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>Runs a command with a stop watch beside it, and asks the kernel for its greatest memory.</summary>
internal static class MeteredCommand
{
    // The kernel keeps the peak itself, so that only what is reached in the very last moments could be missed.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(25);

    public static async Task<Run> RunAsync(CommandLine command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            WorkingDirectory = command.WorkingDirectory ?? "",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;

        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var exit = process.WaitForExitAsync(cancellationToken);
        long peak = 0;
        while (!exit.IsCompleted)
        {
            peak = Math.Max(peak, Peak(process.Id));
            await Task.WhenAny(exit, Task.Delay(Pace, cancellationToken));
        }

        var seconds = clock.Elapsed.TotalSeconds;
        new CommandOutput(command, process.ExitCode, await output, await error).EnsureSuccess();
        return new Run(seconds, peak);
    }

    private static long Peak(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It has just ended.
            return 0;
        }
    }
}
