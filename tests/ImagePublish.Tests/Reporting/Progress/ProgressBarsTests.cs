using ImagePublish.Reporting.Progress;

namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>Rows of a terminal, of every width.</summary>
public sealed class ProgressBarsTests
{
    private static readonly ProgressSnapshot Some = new(
        [
            new("packages", ProgressStep.Sending, 24_800_000, 40_000_000) { Speed = 12_300_000 },
            new("app", ProgressStep.Compressing, 1_500_000, 3_000_000) { Speed = 1e6 },
            new("ghcr.io", ProgressStep.Waiting, 0, 0) { Pause = new(TimeSpan.FromSeconds(1.2), 2, 5) },
            new("runtime", ProgressStep.Sending, 30_000_000, 30_000_000),
        ],
        new("", ProgressStep.Sending, 54_800_000, 70_000_000) { Speed = 12_300_000 }
    );

    [Fact]
    public void AtEightyColumnsThereIsEverything() =>
        Assert.Equal(
            """
              packages    ━━━━━━━━━──────   62 %    24.8 of 40.0 MB   12.3 MB/s    2 s left
              app         ━━━━━━━╸───────   50 %      1.5 of 3.0 MB  compressing
              ghcr.io                                                waits 2 s, try 2 of 5
              runtime     ━━━━━━━━━━━━━━━  100 %    30.0 of 30.0 MB  finishing
            """,
            Show(Some, 79, 4)
        );

    [Fact]
    public void AWideTerminalGetsLongerBars() =>
        Assert.Equal(
            "  packages    ━━━━━━━━━━━━━━━━━━━━━━━━╸───────────────   62 %    24.8 of 40.0 MB   12.3 MB/s    2 s left",
            Show(Some, 199, 4).Split('\n')[0]
        );

    [Theory]
    [InlineData(70, "  packages    ━━━╸──   62 %    24.8 of 40.0 MB   12.3 MB/s    2 s left")]
    [InlineData(69, "  packages    ━━━━━━━━━──────   62 %    24.8 of 40.0 MB  2 s left")]
    [InlineData(45, "  packages    ━━━━━━────   62 %  2 s left")]
    [InlineData(30, "  packages    ━━━━━╸───   62 %")]
    [InlineData(20, "  packages     62 %")]
    [InlineData(18, "")]
    public void ANarrowOneGetsFewerColumns(int width, string first) => Assert.Equal(first, Show(Some, width, 4).Split('\n')[0]);

    [Fact]
    public void NoRowIsEverWiderThanItMayBe()
    {
        var many = Many("a layer with a long name that goes on and on and on", "b", "ü", "d\u001b[2Jd", "e");
        for (var width = 0; width < 250; width++)
        {
            Assert.All(ProgressBars.Rows(many, width, 4, isUnicode: true), row => Assert.InRange(row.Length, 1, width));
            Assert.All(ProgressBars.Rows(Some, width, 4, isUnicode: true), row => Assert.InRange(row.Length, 1, width));
        }
    }

    [Fact]
    public void WhatDoesNotFitIsToldTogether()
    {
        var many = Many("one", "two", "three", "four", "five");
        var waiting = many with { Rows = [many.Rows[0] with { Done = 0 }, .. many.Rows.Skip(1)] };

        Assert.Equal(["  two", "  three", "  four", "  and 2 more; in all 25.0 of 50.0 MB moved, 1.0 MB/s, 25 s left"], Names(waiting, 4));
        Assert.Equal(["  two"], Names(waiting, 1));
        Assert.Empty(Names(waiting, 0));
        Assert.Equal(5, Names(waiting, 5).Count());

        static IEnumerable<string> Names(ProgressSnapshot state, int limit) =>
            ProgressBars
                .Rows(state, 100, limit, isUnicode: true)
                .Select(row =>
                    row.Contains('━', StringComparison.Ordinal) || row.Contains('─', StringComparison.Ordinal) ? row[..10].TrimEnd() : row
                );
    }

    [Fact]
    public void ATerminalWithoutUnicodeGetsAscii()
    {
        var rows = ProgressBars.Rows(Many("Größe und noch viel mehr als hineinpasst in zwanzig"), 79, 4, isUnicode: false);

        Assert.Equal("  Gr??e und noch~  #####-----   50 %     5.0 of 10.0 MB    1.0 MB/s    5 s left", Assert.Single(rows));
    }

    [Fact]
    public void NothingOfANameReachesTheTerminalAsACommand() =>
        Assert.DoesNotContain(ProgressBars.Rows(Many("a\u001b[2J\r\n"), 79, 4, isUnicode: true).Single(), char.IsControl);

    [Theory]
    [InlineData(0, 0.0, "")]
    [InlineData(5, 0.0, "nothing moves")]
    [InlineData(5, 1e6, "1.0 MB/s    5 s left")]
    [InlineData(5, 100.0, "100 B/s 13.9 h left")]
    [InlineData(5, 1.0, "nothing moves")]
    public void TheEndOfARowTellsHowItMoves(int done, double speed, string tail)
    {
        var state = new ProgressSnapshot([new("x", ProgressStep.Sending, done * 1_000_000L, 10_000_000) { Speed = speed }], Some.Uploads);
        Assert.EndsWith(tail, ProgressBars.Rows(state, 100, 1, isUnicode: true).Single().TrimEnd(), StringComparison.Ordinal);
    }

    private static string Show(ProgressSnapshot state, int width, int limit) =>
        string.Join('\n', ProgressBars.Rows(state, width, limit, isUnicode: true));

    private static ProgressSnapshot Many(params string[] names) =>
        new(
            [.. names.Select(name => new ProgressRow(name, ProgressStep.Sending, 5_000_000, 10_000_000) { Speed = 1e6 })],
            new("", ProgressStep.Sending, 5_000_000 * names.Length, 10_000_000 * names.Length) { Speed = 1e6 }
        );
}
