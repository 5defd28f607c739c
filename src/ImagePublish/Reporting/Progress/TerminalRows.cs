using System.Globalization;
using System.Text;

namespace ImagePublish.Reporting.Progress;

/// <summary>A terminal that understands the usual escape sequences.</summary>
internal interface ITerminal
{
    int Width { get; }

    int Height { get; }

    bool IsUnicode { get; }

    /// <summary>Writes all of it at once: what anybody else writes comes before or after.</summary>
    void Write(string text);
}

/// <summary>
/// Rows below the cursor of a terminal that another program part, MSBuild's terminal logger, draws on as well. One for each process, shared
/// by all publishes in it.
/// </summary>
/// <remarks>
/// <para>
/// The logger moves only relative to where it left the cursor: at the start of an empty row below its own rows. Whatever it prints, it
/// first erases from its first row to the end of the screen. So rows below the cursor's disturb nothing, if every drawing leaves the cursor
/// where it was, and is one write. What the logger erases is there again with the next drawing.
/// </para>
/// <para>The cursor's own row stays empty: there the logger adds a row of its own without erasing. Most of the screen stays the logger's,
/// or its rows would be pushed out at the top.</para>
/// </remarks>
internal sealed class TerminalRows(ITerminal terminal)
{
    private const int Most = 4;
    private const int LowestForSeveral = 12;
    private const int LowestForOne = 8;

    private readonly Lock gate = new();
    private readonly List<(object Owner, ProgressSnapshot State)> shown = [];
    private bool isDrawn;

    /// <summary>Draws how far a publish is, and the others as they were.</summary>
    public void Show(object owner, ProgressSnapshot state)
    {
        lock (gate)
        {
            var at = shown.FindIndex(other => other.Owner == owner);
            if (at < 0)
                shown.Add((owner, state));
            else
                shown[at] = (owner, state);
            Draw();
        }
    }

    public void Remove(object owner)
    {
        lock (gate)
        {
            shown.RemoveAll(other => other.Owner == owner);
            Draw();
        }
    }

    public static int Limit(int height) =>
        height < LowestForOne ? 0
        : height < LowestForSeveral ? 1
        : Math.Min(Most, height / 6);

    private void Draw()
    {
        // The last column stays free: some terminals begin a new row when it is filled.
        var rows = ProgressBars.Rows(Together(), terminal.Width - 1, Limit(terminal.Height), terminal.IsUnicode);
        if (rows.Count > 0 || isDrawn)
            terminal.Write(rows.Count > 0 ? Frame(rows) : "\e[J");
        isDrawn = rows.Count > 0;
    }

    private ProgressSnapshot Together()
    {
        if (shown is [var (_, only)])
            return only;
        var all = new ProgressRow(
            "",
            ProgressStep.Sending,
            shown.Sum(one => one.State.Uploads.Done),
            shown.Sum(one => one.State.Uploads.Total)
        )
        {
            Speed = shown.Sum(one => one.State.Uploads.Speed),
        };
        return new ProgressSnapshot([.. shown.SelectMany(one => one.State.Rows)], all);
    }

    // Without wrapping: a row that is wider than it looks must not scroll the screen while the cursor's position is saved.
    private static string Frame(IReadOnlyList<string> rows)
    {
        var frame = new StringBuilder("\e[?25l\e[?7l");
        frame.Append('\n', rows.Count).Append(CultureInfo.InvariantCulture, $"\e[{rows.Count}A\e7\e[K");
        foreach (var row in rows)
            frame.Append("\e[1B\r").Append(row).Append("\e[K");
        return frame.Append("\e[J\e8\e[?7h\e[?25h").ToString();
    }
}

/// <summary>The rows of one publish.</summary>
/// <param name="project">What each row's name begins with: the project, where several are built; else null.</param>
internal sealed class TerminalProgress(string? project, TerminalRows rows) : IProgressView
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public TimeSpan Show(ProgressBoard board, TimeSpan elapsed)
    {
        var state = board.Snapshot();
        rows.Show(
            this,
            project is null ? state : state with { Rows = [.. state.Rows.Select(row => row with { Name = $"{project} {row.Name}" })] }
        );
        return Pause;
    }

    public void Dispose() => rows.Remove(this);
}
