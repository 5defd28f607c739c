using System.Diagnostics;
using System.Text;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>One run of another program: its arguments as a list, no shell, a time-out, all output kept.</summary>
public sealed record CommandLine(string Program, params IReadOnlyList<string> Arguments)
{
    public string? WorkingDirectory { get; init; }

    /// <summary>What differs from this process's environment; a null takes a variable away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public string Input { get; init; } = "";

    public TimeSpan TimeOut { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A program of root's, found in root's folders: run as it is by root, else with sudo that asks nothing.</summary>
    public static CommandLine AsRoot(params string[] command)
    {
        string[] found = ["env", $"PATH={System.Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin", .. command];
        return System.Environment.IsPrivilegedProcess ? new CommandLine(found[0], found[1..]) : new CommandLine("sudo", ["-n", .. found]);
    }

    /// <summary>Runs to the end, whatever the exit code.</summary>
    /// <exception cref="TimeoutException">It took longer than <see cref="TimeOut"/>; it and its children are ended.</exception>
    public async Task<CommandOutput> RunAsync(CancellationToken cancellationToken)
    {
        using var process = Process.Start(StartInfo()) ?? throw new InvalidOperationException($"{Program} did not start.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeOut);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await WriteInputAsync(process, limit.Token);
            await Task.WhenAll(output, error, process.WaitForExitAsync(limit.Token));
            return new CommandOutput(this, process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{this} took longer than {TimeOut}.");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs to the end and demands exit code 0.</summary>
    public async Task<CommandOutput> SucceedAsync(CancellationToken cancellationToken) =>
        (await RunAsync(cancellationToken)).EnsureSuccess();

    public override string ToString() => $"{Program} {string.Join(' ', Arguments)}";

    private async Task WriteInputAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteAsync(Input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code and output say why.
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            WorkingDirectory = WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return start;
    }
}

public sealed record CommandOutput(CommandLine Command, int ExitCode, string Output, string Error)
{
    /// <summary>Both streams, for searching and for messages.</summary>
    public string All => Error.Length == 0 ? Output : $"{Output}\n{Error}";

    public CommandOutput EnsureSuccess() =>
        ExitCode == 0 ? this : throw new InvalidOperationException($"{Command} ended with {ExitCode}:\n{All}");

    public override string ToString() => $"{Command} → {ExitCode}\n{All}";
}
