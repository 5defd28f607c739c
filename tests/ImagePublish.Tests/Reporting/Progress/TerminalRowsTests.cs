using ImagePublish.Reporting.Progress;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>Rows below those of MSBuild's terminal logger, on one screen.</summary>
public sealed class TerminalRowsTests
{
    private static readonly ProgressSnapshot Two = State("packages", "app");
    private readonly Screen screen = new(70, 12);
    private readonly TerminalRows rows;

    public TerminalRowsTests() => rows = new TerminalRows(screen);

    [Fact]
    public void TheyLeaveTheCursorAndWhatStandsAboveIt()
    {
        Logger("Restore complete");
        Frame(0, "Shop (1.0s)");
        var before = screen.Cursor;

        rows.Show(this, Two);
        Frame(1, "Shop (1.1s)");
        rows.Show(this, Two);

        Assert.Equal(before, screen.Cursor);
        Assert.Equal(["Restore complete", "Shop (1.1s)", "", "  packages", "  app"], Names());
        Assert.Equal(5, screen.Writes);
    }

    [Fact]
    public void AtTheEndOfTheScreenTheyMakeRoom()
    {
        Logger(Enumerable.Range(1, 11).Select(n => $"line {n}"));
        Frame(0, "Shop (1.0s)");

        rows.Show(this, Two);
        Frame(1, "Shop (1.1s)");
        rows.Show(this, Two);

        Assert.Equal(
            ["line 5", "line 6", "line 7", "line 8", "line 9", "line 10", "line 11", "Shop (1.1s)", "", "  packages", "  app"],
            Names()[^11..]
        );
    }

    [Fact]
    public void WhatTheLoggerPrintsStaysWhole()
    {
        Frame(0, "Shop (1.0s)");
        rows.Show(this, Two);
        Erase(1);
        Logger("Other succeeded");
        Frame(0, "Shop (2.0s)");
        rows.Show(this, Two);
        Frame(1, "Shop (2.1s)", "Third (0.0s)");
        rows.Show(this, State("app"));

        Assert.Equal(["", "Other succeeded", "Shop (2.1s)", "Third (0.0s)", "", "  app"], Names());
    }

    [Fact]
    public void NothingIsLeftOfThem()
    {
        Frame(0, "Shop (1.0s)");
        rows.Show(this, Two);
        rows.Show(this, State());
        Assert.Equal(["", "Shop (1.0s)"], Names());

        rows.Show(this, Two);
        rows.Remove(this);
        Assert.Equal(["", "Shop (1.0s)"], Names());
        var writes = screen.Writes;
        rows.Remove(this);
        Assert.Equal(writes, screen.Writes);
    }

    [Fact]
    public void SeveralPublishesShareThem()
    {
        rows.Show(this, Two);
        rows.Show(screen, State("app"));

        Assert.Equal(["", "  packages", "  and 2 more; in all 15.0 of 30.0 MB moved, 2.0 MB/s, 8 s left"], Names());
        rows.Remove(this);
        Assert.Equal(["", "  app"], Names());
    }

    [Fact]
    public void InASolutionTheyNameTheProject()
    {
        var board = new ProgressBoard(new FakeTimeProvider());
        board.Build("app", 10);
        using (var shop = new TerminalProgress("Shop", rows))
        {
            shop.Show(board, TimeSpan.FromSeconds(1));
            Assert.Equal(["", "  Shop app"], Names());
        }

        Assert.Equal("", screen.Text);
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(8, 1)]
    [InlineData(12, 2)]
    [InlineData(24, 4)]
    [InlineData(200, 4)]
    public void MostOfTheScreenStaysTheLoggers(int height, int rows) => Assert.Equal(rows, TerminalRows.Limit(height));

    [Fact]
    public void AScreenWithoutRoomIsLeftAlone()
    {
        screen.Height = 5;
        rows.Show(this, Two);

        Assert.Equal(0, screen.Writes);
    }

    [Fact]
    public void OnlyWhatTakesItsTimeIsShownAndNothingOnceItIsOver()
    {
        var clock = new FakeTimeProvider();
        using (var watch = new ProgressWatch(clock, () => new TerminalProgress(null, rows)))
        {
            watch.Start();
            watch.Board.Build("app", 10);
            clock.Advance(TimeSpan.FromSeconds(0.6));
            Assert.Equal(0, screen.Writes);
            clock.Advance(TimeSpan.FromSeconds(0.1));
            Assert.Equal(["", "  app"], Names());
            clock.Advance(TimeSpan.FromSeconds(0.1));
        }

        var writes = screen.Writes;
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(writes, screen.Writes);
        Assert.Equal("", screen.Text);
    }

    // What the logger writes: lines, its rows below an empty one, and the erasing of them.
    private void Logger(params IEnumerable<string> lines) => screen.Write(string.Concat(lines.Select(line => line + "\n")));

    private void Erase(int before) => screen.Write($"\e[{before + 1}F\n\e[J");

    private void Frame(int before, params string[] nodes) =>
        screen.Write($"\e[{before + 1}F\n" + string.Concat(nodes.Select((node, at) => (at < before ? "\e[K" : "") + node + "\n")));

    // Names and other text, without the columns behind them.
    private string[] Names() =>
        [.. screen.Text.Split('\n').Select(row => row.IndexOfAny(['━', '─']) is > 0 and var at ? row[..at].TrimEnd() : row)];

    private static ProgressSnapshot State(params string[] names) =>
        new(
            [.. names.Select(name => new ProgressRow(name, ProgressStep.Sending, 5_000_000, 10_000_000) { Speed = 1e6 })],
            new("", ProgressStep.Sending, 5_000_000 * names.Length, 10_000_000 * names.Length) { Speed = 1e6 }
        );
}
