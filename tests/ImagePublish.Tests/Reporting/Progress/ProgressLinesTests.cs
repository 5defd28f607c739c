using ImagePublish.Reporting.Progress;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Reporting.Progress;

/// <summary>What is said while a publish takes its time.</summary>
public sealed class ProgressLinesTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly List<string> lines = [];

    [Fact]
    public void AQuickPublishSaysNothing()
    {
        using (var progress = Begin(ProgressLineStyle.Log))
        {
            progress.Board.Build("app", 1_000_000);
            progress.Board.Send("a", 400_000);
            clock.Advance(TimeSpan.FromSeconds(4));
        }

        clock.Advance(TimeSpan.FromSeconds(100));
        Assert.Empty(lines);
    }

    [Fact]
    public void ASlowOneTellsHowFarHowFastAndHowLongNowAndThen()
    {
        using var progress = Begin(ProgressLineStyle.Log);
        progress.Board.Send("a", 100_000_000);
        progress.Board.Advance("a", 10_000_000);
        clock.Advance(TimeSpan.FromSeconds(5));
        progress.Board.Advance("a", 40_000_000);
        clock.Advance(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(15));
        progress.Board.Advance("a", 50_000_000);
        progress.Board.Settle("a");
        clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(
            [
                "Shop: 10.0 of 100.0 MB moved (10 %), 2.0 MB/s, 45 s left",
                "Shop: 50.0 of 100.0 MB moved (50 %), 4.0 MB/s, 13 s left",
                "Shop: 50.0 of 100.0 MB moved (50 %), nothing moves",
            ],
            lines
        );
    }

    [Fact]
    public void WhatIsCompressedAndWhatWaitsIsNamed()
    {
        using var progress = Begin(ProgressLineStyle.Log);
        progress.Board.Build("packages", 800_000_000);
        progress.Board.Compress("packages", 200_000_000);
        progress.Board.Build("app", 5);
        progress.Board.Finish("app");
        clock.Advance(TimeSpan.FromSeconds(5));
        progress.Board.Finish("packages");
        progress.Board.Wait("ghcr.io", TimeSpan.FromSeconds(12), 2, 5);
        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(["Shop: layer 'packages' is compressed, 200.0 of 800.0 MB (25 %)", "Shop: ghcr.io waits 2 s, try 2 of 5"], lines);
    }

    [Fact]
    public void InATerminalTheyComeSoonerAndHaveABar()
    {
        using var progress = Begin(ProgressLineStyle.Terminal(isUnicode: true));
        progress.Board.Send("a", 8_000_000);
        progress.Board.Advance("a", 3_000_000);
        clock.Advance(TimeSpan.FromSeconds(2));
        clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(
            [
                "Shop: ━━━━╸─────── 3.0 of 8.0 MB moved (37 %), 1.5 MB/s, 4 s left",
                "Shop: ━━━━╸─────── 3.0 of 8.0 MB moved (37 %), 600.0 kB/s, 9 s left",
            ],
            lines
        );
    }

    private ProgressWatch Begin(ProgressLineStyle style)
    {
        var watch = new ProgressWatch(clock, () => new ProgressLines("Shop", lines.Add, style));
        watch.Start();
        return watch;
    }
}
