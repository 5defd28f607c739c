using System.Diagnostics;
using System.Globalization;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>Runs a command with a stop watch beside it, and asks the kernel for its greatest memory and its work.</summary>
internal static class MeteredCommand
{
    // The kernel keeps both itself, so that only what comes in the very last moments could be missed.
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
        double work = 0;
        while (!exit.IsCompleted)
        {
            peak = Math.Max(peak, PeakMemory.Of(process.Id));
            work = Math.Max(work, ProcessorSeconds(process.Id));
            await Task.WhenAny(exit, Task.Delay(Pace, cancellationToken));
        }

        var seconds = clock.Elapsed.TotalSeconds;
        new CommandOutput(command, process.ExitCode, await output, await error).EnsureSuccess();
        return new Run(seconds, peak) { ProcessorSeconds = work };
    }

    // proc_pid_stat(5): fields 14 to 17, after the name in brackets, are the time of the process and of its children that have ended, in
    // hundredths of a second.
    private static double ProcessorSeconds(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ')[11..15].Sum(field => double.Parse(field, CultureInfo.InvariantCulture))
                / 100;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
