using System.Diagnostics;
using System.Globalization;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A terminal in which one command runs: tmux on a socket of its own. Its screen is full of numbers before the command begins, so that
/// everything happens at the bottom.
/// </summary>
public sealed class Terminal : IAsyncDisposable
{
    private const string Ended = "ended with ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyDictionary<string, string?> environment;

    private Terminal(IReadOnlyDictionary<string, string?> environment) =>
        this.environment = new Dictionary<string, string?>(environment) { ["LC_ALL"] = "C.UTF-8", ["TMUX"] = null };

    /// <summary>Everything that was written, escape sequences included.</summary>
    public string Written => File.ReadAllText(folder["written"]);

    public static async Task<Terminal> StartAsync(CommandLine command, int columns, int rows, CancellationToken cancellationToken)
    {
        var terminal = new Terminal(command.Environment);
        // Without a trap the shell would end with its command when a key interrupts that.
        var script = $"""trap : INT; seq {rows}; cd "$0"; "$@"; echo {Ended}$?; sleep 100""";
        await terminal.TmuxAsync(
            [
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                Text(columns),
                "-y",
                Text(rows),
                "--",
                "sh",
                "-c",
                script,
                command.WorkingDirectory!,
                command.Program,
                .. command.Arguments,
                ";",
                "pipe-pane",
                $"cat > '{terminal.folder["written"]}'",
            ],
            cancellationToken
        );
        return terminal;
    }

    /// <summary>The screen as soon as something stands there.</summary>
    /// <exception cref="TimeoutException">It never did.</exception>
    public async Task<string> UntilAsync(Func<string, bool> isThere, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var screen = (await TmuxAsync(["capture-pane", "-p"], cancellationToken)).Output;
            if (isThere(screen))
                return screen;
            if (clock.Elapsed > Patience || screen.Contains(Ended, StringComparison.Ordinal))
                throw new TimeoutException($"It never stood there:\n{screen}");
            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Presses a key, such as <c>C-c</c>.</summary>
    public Task PressAsync(string key, CancellationToken cancellationToken) => TmuxAsync(["send-keys", key], cancellationToken);

    /// <summary>
    /// The lines that stand on the screen when the command has ended, without numbers and empty ones; those that were too long for a row
    /// are whole.
    /// </summary>
    public async Task<IReadOnlyList<string>> EndAsync(CancellationToken cancellationToken)
    {
        await UntilAsync(screen => screen.Contains(Ended, StringComparison.Ordinal), cancellationToken);
        var screen = (await TmuxAsync(["capture-pane", "-p", "-J"], cancellationToken)).Output;
        return
        [
            .. screen
                .Split('\n')
                .Select(line => line.TrimEnd())
                .Where(line => line.Length > 0 && !int.TryParse(line, CultureInfo.InvariantCulture, out _)),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await TmuxAsync(["kill-server"], CancellationToken.None);
        folder.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private Task<CommandOutput> TmuxAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        new CommandLine("tmux", ["-u", "-S", folder["tmux"], .. arguments]) { Environment = environment, TimeOut = Patience }.RunAsync(
            cancellationToken
        );
}
